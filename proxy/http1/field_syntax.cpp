#include "proxy/http1/field_syntax.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <bit>

namespace weir::proxy {
namespace {

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (unsigned c = 0; c < 256; ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    bool mark = false;
    for (const char m : std::string_view("!#$%&'*+-.^_`|~")) mark = mark || static_cast<unsigned char>(m) == c;
    if (letter || digit || mark) classes[c] |= kTokenByte;
    if (c == '\t' || (c >= 0x20 && c != 0x7F)) classes[c] |= kValueByte;
    if (c > 0x20 && c < 0x7F && c != '#') classes[c] |= kTargetByte;
  }
  return classes;
}

bool all(std::string_view text, std::uint8_t wanted) {
  for (const char c : text)
    if (!is_byte_of(wanted, c)) return false;
  return true;
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

constexpr std::array<std::uint8_t, 256> kByteClasses = make_classes();

bool is_token(std::string_view text) { return !text.empty() && all(text, kTokenByte); }
bool is_field_value(std::string_view text) {
  return find_control(text.data(), text.data() + text.size()) == text.data() + text.size();
}

const char* find_control(const char* at, const char* end) {
#if defined(__SSE2__)
  const __m128i last_control = _mm_set1_epi8(0x1F);
  const __m128i tab = _mm_set1_epi8('\t');
  const __m128i del = _mm_set1_epi8(0x7F);
  while (end - at >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i low =
        _mm_andnot_si128(_mm_cmpeq_epi8(bytes, tab), _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes));
    const auto found = static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(low, _mm_cmpeq_epi8(bytes, del))));
    if (found != 0) return at + std::countr_zero(found);
    at += 16;
  }
#endif
  while (at != end && is_byte_of(kValueByte, *at)) ++at;
  return at;
}

Result<void> take_field_line(const char*& at, const char* end, Header& out) {
  const char* const begin = at;
  // SECURITY: G7, a folded line is one header to some parsers and two to others (RFC 9112 §5.2).
  if (at != end && is_blank(*at)) return fail("obs_fold", "a header line begins with white space");
  while (at != end && is_byte_of(kTokenByte, *at)) ++at;
  if (at == begin || at == end || *at != ':')
    return fail("bad_header_name", "a header line does not begin with a token and a colon right behind it");
  out.name = {begin, at};
  const char* const value = ++at;
  at = find_control(at, end);
  if (end - at < 2 || at[0] != '\r' || at[1] != '\n') {
    const bool line_ending = at == end || *at == '\r' || *at == '\n' || *at == '\0';
    if (line_ending)
      return fail("bad_line_ending", "a header line holds a bare CR, bare LF or NUL, or does not end with CRLF");
    return fail("bad_header_value", "a header's value holds a control character");
  }
  // Named here already, before anyone looks at a value that goes on.
  if (end - at > 2 && is_blank(at[2])) return fail("obs_fold", "a header's value goes on in the next line");
  out.value = trim_blanks({value, at});
  at += 2;
  return {};
}

std::string_view next_element(std::string_view& list) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    const std::string_view element = trim_blanks(list.substr(0, comma));
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    if (!element.empty()) return element;
  }
  return {};
}

}  // namespace weir::proxy
