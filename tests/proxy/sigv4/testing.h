// What the tests of signatures share.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "proxy/sigv4/sigv4.h"

namespace weir::proxy::sigv4::test {

// The keys and the day of the S3 API reference's examples, which are public.
inline constexpr Keys kExampleKeys{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};
inline constexpr std::int64_t kExampleDay = 1369353600;  // 2013-05-24
inline constexpr std::string_view kEmptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

using Fields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

inline DraftRequest draft(std::string_view method, std::string_view authority, std::string_view target, Fields fields) {
  DraftRequest request;
  request.method = method;
  request.authority = authority;
  const auto mark = target.find('?');
  request.path = target.substr(0, mark);
  request.has_query = mark != std::string_view::npos;
  if (request.has_query) request.query = target.substr(mark + 1);
  for (const auto& [name, value] : fields) request.headers.push_back({name, value});
  return request;
}

// The values of a header, each in brackets.
inline std::string values(const DraftRequest& request, std::string_view name) {
  std::string out;
  for (const auto& field : request.headers)
    if (equals_ignoring_case(field.name, name)) out.append("[").append(field.value).append("]");
  return out;
}

// As a client would have signed it, with a signature of no worth.
inline std::string authorization(std::string_view scope, std::string_view signed_headers) {
  return "AWS4-HMAC-SHA256 Credential=ANY/" + std::string(scope) + ", SignedHeaders=" + std::string(signed_headers) + ", Signature=" + std::string(64, '0');
}

template <class T>
std::string code_of(const Result<T>& result) {
  return result ? "" : result.error().code;
}

}  // namespace weir::proxy::sigv4::test
