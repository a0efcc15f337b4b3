#include "proxy/http1/field_syntax.h"

#include <array>

namespace weir::proxy {
namespace {

constexpr std::uint8_t kToken = 1;
constexpr std::uint8_t kValue = 2;

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (unsigned c = 0; c < 256; ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    bool mark = false;
    for (const char m : std::string_view("!#$%&'*+-.^_`|~")) mark = mark || static_cast<unsigned char>(m) == c;
    if (letter || digit || mark) classes[c] |= kToken;
    if (c == '\t' || (c >= 0x20 && c != 0x7F)) classes[c] |= kValue;
  }
  return classes;
}
constexpr auto kClasses = make_classes();

bool all(std::string_view text, std::uint8_t wanted) {
  for (const char c : text)
    if ((kClasses[static_cast<unsigned char>(c)] & wanted) == 0) return false;
  return true;
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

}  // namespace

bool is_token(std::string_view text) { return !text.empty() && all(text, kToken); }
bool is_field_value(std::string_view text) { return all(text, kValue); }

Result<Header> parse_field_line(std::string_view line) {
  if (!line.empty() && is_blank(line.front())) return fail("obs_fold", "a header line begins with white space");
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
    return fail("bad_header_name", "a header's name is not a token followed by a colon");
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && is_blank(value.front())) value.remove_prefix(1);
  while (!value.empty() && is_blank(value.back())) value.remove_suffix(1);
  if (!is_field_value(value)) return fail("bad_header_value", "a header's value has a control character");
  return Header{line.substr(0, colon), value};
}

std::string_view next_element(std::string_view& list) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    std::string_view element = list.substr(0, comma);
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    while (!element.empty() && is_blank(element.front())) element.remove_prefix(1);
    while (!element.empty() && is_blank(element.back())) element.remove_suffix(1);
    if (!element.empty()) return element;
  }
  return {};
}

}  // namespace weir::proxy
