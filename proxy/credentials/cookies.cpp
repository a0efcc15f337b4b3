#include "proxy/credentials/cookies.h"

#include <algorithm>

#include "base/text.h"
#include "proxy/credentials/field_value.h"

namespace weir::proxy {
namespace {

bool is_cookie_octet(char c) { return c > 0x20 && c < 0x7f && c != '"' && c != ',' && c != ';' && c != '\\'; }

bool is_cookie_value(std::string_view value) {
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
  return !value.empty() && std::all_of(value.begin(), value.end(), is_cookie_octet);
}

bool is_cookie_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return is_cookie_octet(c) && c != '='; });
}

bool is_cookie_field(const HeaderField& field) { return is_same_field(field.name, "cookie"); }

// SECURITY: G2, there are servers that also end a cookie at a blank or a comma, or know nothing of quotes. None of these can
// stand in a cookie of RFC 6265, so this costs no proper cookie.
bool hides_cookie(std::string_view part, std::string_view name) {
  for (std::size_t at = 1; at + name.size() < part.size(); ++at) {
    if (is_cookie_octet(part[at - 1]) || !equals_ignoring_case(part.substr(at, name.size()), name)) continue;
    if (trim(part.substr(at + name.size())).starts_with('=')) return true;
  }
  return false;
}

bool is_cookie(std::string_view part, std::string_view name) {
  return equals_ignoring_case(trim(part.substr(0, part.find('='))), name) || hides_cookie(part, name);
}

}  // namespace

Result<void> set_cookie(std::string_view name, std::string_view value, DraftRequest& draft) {
  if (!is_cookie_name(name) || !is_cookie_value(value))
    return unusable(
        "cannot stand in a cookie: it has control characters, blanks, quotes, commas, semicolons, backslashes or what is "
        "not ASCII");
  std::size_t size = name.size() + 1 + value.size();
  for (const auto& field : draft.headers)
    if (is_cookie_field(field)) size += field.value.size() + 2;
  WipedText line;
  line.reserve(size);
  line.append(name).append("=").append(value);
  for (const auto& field : draft.headers) {
    if (!is_cookie_field(field)) continue;
    std::string_view rest = field.value;
    for (;;) {
      const auto end = rest.find(';');
      const auto part = trim(rest.substr(0, end));
      if (!part.empty() && !is_cookie(part, name)) line.append("; ").append(part);
      if (end == std::string_view::npos) break;
      rest.remove_prefix(end + 1);
    }
  }
  std::erase_if(draft.headers, is_cookie_field);
  draft.headers.push_back({"Cookie", draft.keep(std::move(line))});
  return {};
}

}  // namespace weir::proxy
