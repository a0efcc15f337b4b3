#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "policy/formatting/layout.h"

namespace weir::policy {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alphanumeric(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// What YAML 1.1 or 1.2 would read as something other than text: null, a boolean, a number, a date. Rather too many.
bool looks_typed(std::string_view text) {
  constexpr std::array<std::string_view, 10> kWords = {"null", "true", "false", "yes", "no", "on", "off", "y", "n", ".nan"};
  const auto lower = to_lower(text);
  if (std::ranges::find(kWords, lower) != kWords.end() || lower.ends_with(".inf")) return true;
  const char first = text.front();
  if (!is_digit(first) && first != '.' && first != '+' && first != '-') return false;
  return std::ranges::count(text, '.') <= 1 &&
         text.find_first_not_of("0123456789abcdefABCDEFxXoO_.+-") == std::string_view::npos;
}

// `host:8443`, `09:00` and `fd00::` are numbers or maps in the eyes of some; the words of this language are not.
bool has_odd_colon(std::string_view text) {
  for (const std::string_view known : {"env:", "file:", "store:", "http://", "https://"})
    if (text.starts_with(known)) {
      text.remove_prefix(known.size());
      if (!known.starts_with("http")) break;
      if (const auto port = text.find(':');
          port != std::string_view::npos && port + 1 < text.size() && is_digit(text[port + 1]))
        text.remove_prefix(port + 1);
      break;
    }
  return text.find(':') != std::string_view::npos;
}

struct CodePoint {
  char32_t value = 0;
  std::size_t size = 1;
};

CodePoint code_point_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const auto first = byte(0);
  const std::size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (size == 1 || at + size > text.size()) return {first, 1};
  char32_t value = first & (0xffU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) value = (value << 6) | (byte(i) & 0x3fU);
  return {value, size};
}

// Characters that YAML forbids, breaks lines at, or that change how a line looks without being seen.
bool is_hidden(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c <= 0xa0) || c == 0xad || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
         (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c & 0xfffe) == 0xfffe;
}

bool has_hidden(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto c = code_point_at(text, i);
    if (is_hidden(c.value)) return true;
    i += c.size;
  }
  return false;
}

bool may_be_plain(std::string_view text, bool on_its_line) {
  if (text.empty() || text == "=" || text == "~" || text.front() == ' ' || text.back() == ' ') return false;
  const char first = text.front();
  const bool begins_well = is_alphanumeric(first) ||
                           std::string_view("/_.$(+<;^~=\\").find(first) != std::string_view::npos ||
                           static_cast<unsigned char>(first) >= 0x80;
  if (!begins_well || text.starts_with("<<") || text.starts_with("...")) return false;
  if (!on_its_line && text.find_first_of(",[]{}") != std::string_view::npos) return false;
  return text.find_first_of("*#\"") == std::string_view::npos && !has_odd_colon(text) && !has_hidden(text) &&
         !looks_typed(text);
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size();) {
    const auto c = code_point_at(text, i);
    const auto bytes = text.substr(i, c.size);
    i += c.size;
    if (c.value == '"' || c.value == '\\')
      out += '\\', out += bytes;
    else if (c.value == '\n')
      out += "\\n";
    else if (c.value == '\t')
      out += "\\t";
    else if (!is_hidden(c.value))
      out += bytes;
    else if (c.value <= 0xff)
      out += fmt::format("\\x{:02X}", static_cast<std::uint32_t>(c.value));
    else if (c.value <= 0xffff)
      out += fmt::format("\\u{:04X}", static_cast<std::uint32_t>(c.value));
    else
      out += fmt::format("\\U{:08X}", static_cast<std::uint32_t>(c.value));
  }
  return out + "\"";
}

}  // namespace

std::string quoted_if_needed(std::string_view text, bool on_its_line) {
  return may_be_plain(text, on_its_line) ? std::string(text) : quoted(text);
}

}  // namespace weir::policy
