// An open WebSocket, from the 101 to its end: frames read on one side and written anew on the other, as they come.
// SECURITY: G2, G7: nothing of a frame passes unread, and what the upstream says is searched for its credential.
#pragma once

#include <cstdint>
#include <string>

#include "proxy/gate/read_buffer.h"
#include "proxy/gate/secret_mask.h"
#include "proxy/gate/tunnel.h"
#include "proxy/io/transport.h"
#include "proxy/websocket/reframer.h"

namespace weir::proxy {

struct WebSocketEnd {
  std::uint64_t bytes_out = 0;   // of payload; client to upstream
  std::uint64_t bytes_in = 0;
  std::uint64_t frames_out = 0;  // as received
  std::uint64_t frames_in = 0;
  std::uint64_t masked = 0;      // reflected secrets
  // "complete": both sides have closed it (RFC 6455 §7). "client_gone", "upstream_reset": a side went without. "client_protocol",
  // "upstream_protocol": it broke the protocol, see reason. "idle". "cut": see OpenTunnel::cut_because().
  std::string_view end = "complete";
  std::string reason;            // of a protocol error
};

// One side of it: a transport, and what has been read from it behind the handshake.
struct WebSocketSide {
  io::Transport& transport;
  ReadBuffer& inbound;
};

// Carries frames until the end. Where weir ends it, both sides get a close frame that says why. All arguments outlive the call.
// `outgoing`: what becomes of what the client sends; not set: it goes on as it is. Its error "leak" ends the WebSocket as "cut".
io::Task<WebSocketEnd> carry_websocket(io::Loop& loop, WebSocketSide client, WebSocketSide upstream, const SecretMask& mask, websocket::Rewrite outgoing,
                                       OpenTunnel& tunnel);

}  // namespace weir::proxy
