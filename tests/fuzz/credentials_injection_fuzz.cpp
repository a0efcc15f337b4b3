// A query and cookies, with a credential put in: it is there once, no other of its name is, and putting it in again changes
// nothing.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/credentials/injection.h"

using namespace weir::proxy;

namespace {

weir::policy::Injection injection(weir::policy::Injection::Kind kind) {
  weir::policy::Injection out;
  out.kind = kind;
  out.name = "key";
  out.format = "{secret}";
  return out;
}
const auto kQuery = injection(weir::policy::Injection::Kind::query),
           kCookie = injection(weir::policy::Injection::Kind::cookie);

// Decodes all of it first, in a way of its own, and then compares.
std::string name_of(std::string_view part, bool escaped) {
  std::string out;
  const auto digit = [](char c) { return std::string_view("0123456789abcdef").find(static_cast<char>(c | 32)); };
  for (std::size_t i = 0; i < part.size() && part[i] != '='; ++i) {
    const bool escape = escaped && part[i] == '%' && i + 2 < part.size() && part[i + 1] >= '0' && part[i + 2] >= '0' &&
                        digit(part[i + 1]) < 16 && digit(part[i + 2]) < 16;
    out += escape ? static_cast<char>(digit(part[i + 1]) * 16 + digit(part[i + 2])) : part[i];
    if (escape) i += 2;
  }
  return out;
}

std::string_view stripped(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

void expect_one(std::string_view text, std::string_view separators, bool escaped, std::string_view whole) {
  std::size_t found = 0;
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find_first_of(separators, at), text.size());
    const auto part = escaped ? text.substr(at, end - at) : stripped(text.substr(at, end - at));
    const auto name = name_of(part, escaped);
    if (name == "key" || (!escaped && stripped(name) == "key")) {
      if (part != whole) std::abort();
      ++found;
    }
    at = end + 1;
  }
  if (found != 1) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto line = text.find('\n');  // parts two Cookie fields
  DraftRequest draft;
  draft.query = text;
  draft.headers = {{"cookie", text.substr(0, line)}, {"Accept", "*/*"}};
  if (line != std::string_view::npos) draft.headers.push_back({"COOKIE", text.substr(line + 1)});
  if (!inject(kQuery, "v/w", draft) || !inject(kCookie, "v/w", draft)) std::abort();
  if (draft.headers.size() != 2 || !draft.query.ends_with("key=v%2Fw")) std::abort();
  expect_one(draft.query, "&;", true, "key=v%2Fw");
  expect_one(draft.query, "&", true, "key=v%2Fw");
  expect_one(draft.headers[1].value, ";", false, "key=v/w");
  const std::string query(draft.query), cookie(draft.headers[1].value);
  if (!inject(kQuery, "v/w", draft) || !inject(kCookie, "v/w", draft)) std::abort();
  if (draft.query != query || draft.headers[1].value != cookie) std::abort();
  return 0;
}
