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
  std::string scheme;  // "https", "http", "tls" or "tcp"
  bool websocket = false;  // ws:// or wss://: a WebSocket handshake by http or https
  std::string host;    // canonical
  std::uint16_t port = 0;
  CanonicalPath path;

  std::string query;  // without its '?'

  Request request(std::string_view method) const {  // views into this
    Request request;
    request.scheme = scheme;
    request.host = host;
    request.port = port;
    request.method = method;
    request.path = &path;
    request.query = query;
    request.websocket = websocket;
    return request;
  }
};

// "https://example.com/a?b": a fragment is dropped. "tcp://example.com:5432" and
// "tls://example.com" are connections that are carried as they are. "url_invalid" when it is none of these.
Result<Target> parse_target(std::string_view url);

}  // namespace weir::policy
