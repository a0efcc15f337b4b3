// A URL taken apart into what a Request needs, in canonical form: for commands that ask about a request by its URL.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "policy/canonical.h"
#include "policy/policy.h"

namespace weir::policy {

struct Target {
  std::string scheme;  // "https" or "http"
  std::string host;    // canonical
  std::uint16_t port = 0;
  CanonicalPath path;

  Request request(std::string_view method) const { return {scheme, host, port, method, &path}; }  // views into this
};

// "https://example.com/a?b": query and fragment are dropped. "url_invalid" when it is not an absolute http(s) URL.
Result<Target> parse_target(std::string_view url);

}  // namespace weir::policy
