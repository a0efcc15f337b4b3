// Percent-encoding (RFC 3986 §2.1) of text that may hold a secret: nothing is written but to wiped text. Pure.
#pragma once

#include <string_view>

#include "base/text.h"
#include "proxy/credentials/wiped_text.h"

namespace weir::proxy {

inline int hex_value(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// Every octet that is not unreserved (RFC 3986 §2.3): it stays one component wherever in a path, a query or a form it
// stands.
void append_percent_encoded(std::string_view text, WipedText& out);

// Whether `written`, a name in a query or a form, is `name` once its escapes are resolved. SECURITY: G2, whatever some
// server would take for that name is it: '+' is a space and itself, and the case of ASCII letters means nothing.
bool is_name(std::string_view written, std::string_view name);

}  // namespace weir::proxy
