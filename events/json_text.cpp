#include "events/json_text.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>

namespace weir::events {
namespace {

constexpr char kDigits[] = "0123456789abcdef";

constexpr std::array<bool, 256> make_plain() {
  std::array<bool, 256> plain{};
  for (unsigned c = 0x20; c < 0x7F; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}
constexpr auto kPlain = make_plain();

constexpr std::uint64_t kEach = 0x0101010101010101;
constexpr std::uint64_t kHigh = 0x8080808080808080;

// Whether any of eight bytes is not plain. The subtractions may borrow into a byte above one that is not plain, never
// below one: the answer for all eight together is exact but for that, and that one errs to "look closer".
constexpr bool needs_escape(std::uint64_t bytes) {
  const auto has_zero = [](std::uint64_t word) { return (word - kEach) & ~word & kHigh; };
  const std::uint64_t below_space = (bytes - kEach * 0x20) & ~bytes & kHigh;
  return (bytes & kHigh) != 0 || below_space != 0 || has_zero(bytes ^ (kEach * '"')) != 0 ||
         has_zero(bytes ^ (kEach * '\\')) != 0 || has_zero(bytes ^ (kEach * 0x7F)) != 0;
}

std::size_t plain_run(std::string_view text) {
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text.data() + at, 8);
    if (needs_escape(bytes)) break;
  }
  while (at < text.size() && kPlain[static_cast<unsigned char>(text[at])]) ++at;
  return at;
}

void append_unit(std::string& out, std::uint32_t unit) {
  const char escape[] = {
      '\\', 'u', kDigits[(unit >> 12) & 15], kDigits[(unit >> 8) & 15], kDigits[(unit >> 4) & 15], kDigits[unit & 15]};
  out.append(escape, sizeof escape);
}

void append_escape(std::string& out, std::uint32_t code) {
  if (code < 0x10000) return append_unit(out, code);
  // RFC 8259 §7: outside the basic plane, a surrogate pair.
  append_unit(out, 0xD800 + ((code - 0x10000) >> 10));
  append_unit(out, 0xDC00 + ((code - 0x10000) & 0x3FF));
}

// Well-formed UTF-8 (RFC 3629 §4) at the start of `text`, which does not begin with ASCII: its length, or 0.
std::size_t sequence(std::string_view text, std::uint32_t& code) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  std::size_t length = 0;
  if (first >= 0xC2 && first <= 0xDF) length = 2;
  if (first >= 0xE0 && first <= 0xEF) length = 3;
  if (first >= 0xF0 && first <= 0xF4) length = 4;
  if (length == 0 || text.size() < length) return 0;
  code = first & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
    code = code << 6 | (byte(i) & 0x3FU);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  return overlong || (code >= 0xD800 && code <= 0xDFFF) || code > 0x10FFFF ? 0 : length;
}

// Characters that a reader would not see, or that change how what follows is shown.
bool is_hidden(std::uint32_t c) {
  return (c >= 0x80 && c < 0xA0) || c == 0xAD || c == 0x034F || c == 0x061C || (c >= 0x115F && c <= 0x1160) ||
         (c >= 0x17B4 && c <= 0x17B5) || (c >= 0x180B && c <= 0x180F) || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0x3164 || (c >= 0xFE00 && c <= 0xFE0F) ||
         c == 0xFEFF || c == 0xFFA0 || (c >= 0xFFF0 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE0FFF) ||
         (c & 0xFFFE) == 0xFFFE;
}

void append_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const std::size_t plain = plain_run(text);
    out.append(text.data(), plain);
    text.remove_prefix(plain);
    if (text.empty()) return;
    const auto byte = static_cast<unsigned char>(text.front());
    std::size_t length = 1;
    std::uint32_t code = byte;
    if (byte == '"' || byte == '\\') {
      out.push_back('\\');
      out.push_back(static_cast<char>(byte));
    } else if (byte < 0x80) {
      append_unit(out, byte);
    } else if (length = sequence(text, code); length == 0) {
      const char mark[] = {'\\', 'u', 'f', 'f', 'f', 'd', '<', kDigits[byte >> 4], kDigits[byte & 15], '>'};
      out.append(mark, sizeof mark);
      length = 1;
    } else if (is_hidden(code)) {
      append_escape(out, code);
    } else {
      out.append(text.data(), length);
    }
    text.remove_prefix(length);
  }
}

}  // namespace

std::size_t whole_sequences(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text.size();
  // At most three continuation bytes can belong to a sequence begun before the limit.
  std::size_t begin = limit;
  while (begin > 0 && limit - begin < 3 && (static_cast<unsigned char>(text[begin]) & 0xC0U) == 0x80U) --begin;
  std::uint32_t code = 0;
  const bool splits =
      begin < limit && static_cast<unsigned char>(text[begin]) >= 0x80 && begin + sequence(text.substr(begin), code) > limit;
  return splits ? begin : limit;
}

void append_json_string(std::string& out, std::string_view text, std::size_t limit, std::size_t whole_size) {
  const std::size_t kept = whole_sequences(text, limit);
  const std::size_t whole = whole_size > text.size() ? whole_size : text.size();
  out.push_back('"');
  append_escaped(out, text.substr(0, kept));
  if (whole > kept) {
    char digits[24];
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, whole - kept);
    out.append("…[cut ").append(digits, end).append(" bytes]");
  }
  out.push_back('"');
}

}  // namespace weir::events
