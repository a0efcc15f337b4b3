#include "policy/learning/observed_path.h"

#include <string>

namespace weir::policy {

namespace {

// As a client may have sent it. Only what the path grammar has no place for needs an escape.
std::string sent_form(std::string_view decoded) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string sent;
  for (const char c : decoded) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet > 0x20 && octet < 0x7f && c != '?' && c != '#') {
      sent += c;
      continue;
    }
    sent += '%';
    sent += kHex[octet >> 4];
    sent += kHex[octet & 15];
  }
  return sent;
}

bool is_whole(std::string_view decoded) {
  if (decoded.find("\xEF\xBF\xBD") != std::string_view::npos || decoded.ends_with(" bytes]")) return false;  // events/json_text.h
  for (auto at = decoded.find('%'); at != std::string_view::npos; at = decoded.find('%', at + 1))
    if (decoded.substr(at, 3) != "%2F") return false;
  return true;
}

}  // namespace

CanonicalPath observed_path(std::string_view decoded) {
  CanonicalPath path = canonical_path(sent_form(decoded));
  if (!is_whole(decoded) || path.decoded != decoded) path.ambiguous = true;
  return path;
}

}  // namespace weir::policy
