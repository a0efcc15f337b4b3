// Classes of characters in the words of a policy.
#pragma once

#include <algorithm>
#include <string_view>

namespace weir::policy {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_alphanumeric(char c) { return is_lower(c) || is_upper(c) || is_digit(c); }
constexpr bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
constexpr bool is_printable_ascii(char c) { return c >= 0x20 && c <= 0x7e; }

// Letters, digits and what is in `more`, one to `most` of them.
constexpr bool is_word(std::string_view text, std::string_view more, std::size_t most) {
  return !text.empty() && text.size() <= most &&
         std::ranges::all_of(text, [&](char c) { return is_alphanumeric(c) || more.find(c) != std::string_view::npos; });
}
constexpr bool is_number(std::string_view text, std::size_t most) {  // without leading zeros, not 0
  return !text.empty() && text.size() <= most && text.front() != '0' && std::ranges::all_of(text, is_digit);
}
constexpr bool is_token(std::string_view text) {  // RFC 9110 §5.6.2
  return is_word(text, "!#$%&'*+-.^_`|~", std::string_view::npos);
}

}  // namespace weir::policy
