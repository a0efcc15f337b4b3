// Connections that are not looked into: raw TCP and TLS that is carried unopened. Decided by the place they go to, recorded, then carried.
// SECURITY: G3, G8.
#pragma once

#include "proxy/gate/connection.h"

namespace weir::proxy {

// What a connection begins with.
enum class Opening : std::uint8_t {
  closed,  // it ended first
  silent,  // the client has said nothing by the deadline: in some protocols the server speaks first
  tls,
  http,    // or what may still turn out to be
  other    // what no HTTP server could take for a request
};

// Waits for the client's first octets. They stay in the socket, or are in connection.inbound. `connection` outlives the call.
io::Task<Opening> first_octets(Gate& gate, Connection& connection, io::Deadline deadline);

// Carries raw TCP, or refuses it: until the connection is over. `connection` outlives the call, here and below.
io::Task<void> carry_tcp(Gate& gate, Connection& connection);

// The same for TLS that is not opened, once the client has begun it. SECURITY: the server name must be the name that was dialled, so that
// an allowed name does not become the door to others behind the same address.
io::Task<void> carry_passthrough(Gate& gate, Connection& connection);

// For a client that is silent. Where raw TCP would be let through, weir connects and sees who speaks first: a server that does gets a
// tunnel. True: the connection is over. False: the client has spoken and is to be looked at; only a server that speaks first makes a connection raw,
// so that no client goes past the inspection by waiting.
io::Task<bool> serve_silent(Gate& gate, Connection& connection);

inline constexpr std::uint64_t kSilentMs = 3'000;  // after that a client counts as silent

}  // namespace weir::proxy
