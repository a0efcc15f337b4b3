// The opening handshake (RFC 6455 §4) as values: what a client asks for, what a server answers. weir offers no extension
// to servers and accepts none from clients, so that it can read every frame. SECURITY: G7.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "proxy/http1/message.h"

namespace weir::proxy::websocket {

// Whether the request asks for a WebSocket, well or badly: its Upgrade names `websocket`. What the policy calls a handshake.
bool asks_for_websocket(const RequestHead& head);

struct Handshake {                             // views into the head's bytes
  std::string_view key;                        // Sec-WebSocket-Key
  std::vector<std::string_view> subprotocols;  // Sec-WebSocket-Protocol, in order of preference
};

// Of a request that asks for a WebSocket (§4.1, §4.2.1). Errors: "websocket_method" (not GET), "websocket_http_version"
// (1.0), "websocket_body" (it announces a body), "websocket_upgrade" (another protocol too), "websocket_connection" (no
// Connection: upgrade), "websocket_version" (not one Sec-WebSocket-Version: 13), "websocket_key" (not one key of 16 bytes in
// base64), "websocket_protocol" (not a list of at most 100 different tokens).
Result<Handshake> read_handshake(const RequestHead& head);

// A key of weir's own for the handshake with the upstream.
std::string make_key();

// Sec-WebSocket-Accept for a key (§4.2.2).
std::string accept_for(std::string_view key);

// Of a response with status 101 to a handshake with `key` that offered `subprotocols` and no extension: the subprotocol that
// was chosen, or empty (§4.1). Errors: "websocket_status", "websocket_upgrade", "websocket_connection", "websocket_accept",
// "websocket_extension", "websocket_protocol". The view is into the response's head.
Result<std::string_view> check_answer(const ResponseHead& head, std::string_view key,
                                      std::span<const std::string_view> subprotocols);

}  // namespace weir::proxy::websocket
