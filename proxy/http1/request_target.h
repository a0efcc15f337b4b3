// The four forms of a request target (RFC 9112 §3.2).
#pragma once

#include <string_view>

#include "base/error.h"

namespace weir::proxy {

struct RequestTarget {
  enum class Form : unsigned char { origin, absolute, authority, asterisk } form = Form::origin;
  std::string_view scheme;     // absolute only: "http" or "https"
  std::string_view authority;  // absolute and authority form
  std::string_view path;       // begins with '/'; "/" where an absolute form has none
  std::string_view query;      // with its '?'; may be empty
};

// Error "bad_target": a fragment, a character that RFC 3986 does not allow, or no form at all. Views into `target`.
Result<RequestTarget> parse_request_target(std::string_view method, std::string_view target);

}  // namespace weir::proxy
