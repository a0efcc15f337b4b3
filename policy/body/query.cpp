#include "base/text.h"
#include "policy/body.h"

namespace weir::policy {

namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// What is not sound is kept as well as it can be, for messages only.
std::string decode(std::string_view raw, bool& sound) {
  std::string out;
  out.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const char c = raw[i];
    if (c == '+') {
      out += ' ';
    } else if (c == '%') {
      const int high = i + 1 < raw.size() ? hex_value(raw[i + 1]) : -1;
      const int low = i + 2 < raw.size() ? hex_value(raw[i + 2]) : -1;
      if (high < 0 || low < 0) {
        sound = false;
        out += c;
        continue;
      }
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      // None of these may stand in a query; where one does, servers end it here or there. ';' is '&' to some.
      if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '#' || c == ';') sound = false;
      out += c;
    }
  }
  // Overlong sequences are malformed UTF-8 (RFC 3629 §3).
  if (out.find('\0') != std::string::npos || valid_utf8_prefix(out) != out.size()) sound = false;
  return out;
}

}  // namespace

QueryParameters parse_query(std::string_view query_string) {
  QueryParameters result;
  for (const auto piece : split(query_string, '&')) {
    if (piece.empty()) continue;  // "a=1&&b=2": every server passes over it
    const auto equals = piece.find('=');
    auto name = decode(piece.substr(0, equals), result.sound);
    auto value = equals == std::string_view::npos ? std::string() : decode(piece.substr(equals + 1), result.sound);
    result.parameters.emplace_back(std::move(name), std::move(value));
  }
  return result;
}

}  // namespace weir::policy
