#include "proxy/credentials/field_value.h"

#include <algorithm>

#include "base/text.h"

namespace weir::proxy {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }

}  // namespace

bool has_controls(std::string_view text) { return std::any_of(text.begin(), text.end(), is_control); }

bool is_usable_field_value(std::string_view value) {
  if (value.empty() || is_blank(value.front()) || is_blank(value.back())) return false;
  return std::none_of(value.begin(), value.end(), [](char c) { return is_control(c) && c != '\t'; });
}

bool is_same_field(std::string_view a, std::string_view b) {
  const auto plain = [](char c) { return c == '_' ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (plain(a[i]) != plain(b[i])) return false;
  return true;
}

std::unexpected<Error> unusable(std::string_view why) {
  return fail("credential_unusable", "the credential's value " + std::string(why));
}

std::string_view basic_credentials(std::string_view value) {
  static constexpr std::string_view kScheme = "basic";
  if (value.size() <= kScheme.size() || !is_blank(value[kScheme.size()])) return {};
  return equals_ignoring_case(value.substr(0, kScheme.size()), kScheme) ? trim(value.substr(kScheme.size()))
                                                                        : std::string_view{};
}

}  // namespace weir::proxy
