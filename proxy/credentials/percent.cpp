#include "proxy/credentials/percent.h"

namespace weir::proxy {
namespace {

bool unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
         c == '~';
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

}  // namespace

void append_percent_encoded(std::string_view text, WipedText& out) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  for (const char c : text) {
    if (unreserved(c)) {
      out.push_back(c);
      continue;
    }
    const auto octet = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(kHex[octet >> 4]);
    out.push_back(kHex[octet & 15]);
  }
}

bool is_name(std::string_view written, std::string_view name) {
  std::size_t at = 0;
  for (const char wanted : name) {
    if (at >= written.size()) return false;
    const char c = written[at];
    if (c == '%' && at + 2 < written.size() && hex_value(written[at + 1]) >= 0 && hex_value(written[at + 2]) >= 0) {
      const auto octet = static_cast<unsigned char>(hex_value(written[at + 1]) * 16 + hex_value(written[at + 2]));
      if (lower(static_cast<char>(octet)) != lower(wanted)) return false;
      at += 3;
      continue;
    }
    if (lower(c) != lower(wanted) && !(c == '+' && wanted == ' ')) return false;
    ++at;
  }
  return at == written.size();
}

}  // namespace weir::proxy
