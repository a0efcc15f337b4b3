// What the tests of credentials share.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.h"
#include "policy/document.h"
#include "proxy/credentials/draft_request.h"
#include "proxy/credentials/substitution.h"

namespace weir::proxy::test {

using Kind = policy::Injection::Kind;

inline policy::Injection injection(Kind kind, std::string name, std::string format = "{secret}", std::string username = "") {
  policy::Injection out;
  out.kind = kind;
  out.name = std::move(name);
  out.format = std::move(format);
  out.username = std::move(username);
  return out;
}

// "Name: value" in the draft's order.
inline std::vector<std::string> lines(const DraftRequest& draft) {
  std::vector<std::string> out;
  for (const auto& field : draft.headers) out.push_back(std::string(field.name) + ": " + std::string(field.value));
  return out;
}

inline std::string basic(std::string_view pair) { return "Basic " + base64_encode(pair); }

inline policy::Substitution places(bool header, bool query = false, bool path = false, bool body = false) {
  policy::Substitution where;
  where.shape = "x{random:16}";
  where.in_header = header, where.in_query = query, where.in_path = path, where.in_body = body;
  return where;
}
inline const policy::Substitution kEverywhere = places(true, true, true, true);

}  // namespace weir::proxy::test
