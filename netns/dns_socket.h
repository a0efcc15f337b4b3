// Datagrams of the room's DNS socket. A query is redirected on its way, and the answer must leave from the very address
// at which the query arrived, else the kernel does not turn it back into an answer from the server that was asked.
// Only recvmsg(2) and sendmsg(2); never blocks.
#pragma once

#include <netinet/in.h>

#include <cstddef>
#include <span>
#include <string_view>

#include "base/error.h"

namespace weir::netns {

// Whom to answer and from where. A value.
struct ReplyPath {
  sockaddr_storage peer{};
  socklen_t peer_size = 0;
  in6_addr local{};  // IPv4 addresses mapped (::ffff:…)
};

struct Datagram {
  std::string_view bytes;  // a view into the caller's buffer
  ReplyPath path;
};

// Errors: "would_block" (nothing there), "datagram_truncated" (larger than the buffer; it is gone), "dns_socket_failed".
Result<Datagram> receive_datagram(int dns_udp, std::span<char> buffer);

// Errors: "would_block" (the socket's buffer is full; drop the answer, resolvers ask again), "dns_socket_failed".
Result<void> reply_datagram(int dns_udp, std::string_view bytes, const ReplyPath& path);

}  // namespace weir::netns
