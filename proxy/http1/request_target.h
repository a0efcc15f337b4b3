// The four forms of a request target (RFC 9112 §3.2).
#pragma once

#include <string_view>

#include "base/error.h"

namespace weir::proxy {

struct RequestTarget {
  enum class Form : unsigned char { origin, absolute, authority, asterisk } form = Form::origin;
  std::string_view scheme;     // absolute only: "http" or "https", in lower case
  std::string_view authority;  // absolute and authority form: host [":" port]; CONNECT's has a port
  std::string_view path;       // origin and absolute form: begins with '/'; "/" where an absolute one has none
  std::string_view query;      // with its '?'; may be empty
};

// Error "bad_target": white space, a control or non-ASCII byte, a fragment, a backslash in the path, user information, a
// host that is none, a scheme other than http and https, or no form at all. Views into `target`.
Result<RequestTarget> parse_request_target(std::string_view method, std::string_view target);

}  // namespace weir::proxy
