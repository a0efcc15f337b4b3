// The sealed room: a user and network namespace with no way out but the sockets made here (docs/architecture.md).
// SECURITY: G1 (no uplink exists), G6 (nothing outside the new namespaces is changed; no root needed).
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

namespace weir::netns {

struct Room {
  UniqueFd user_namespace;     // for setns(2); the room lives as long as any of these descriptors or a process in it
  UniqueFd network_namespace;
  UniqueFd tcp_listener;  // dual-stack; every TCP connect in the room arrives here (except port 53)
  UniqueFd dns_udp;       // dual-stack, IP_PKTINFO and IPV6_RECVPKTINFO set: a reply must leave from the address it was sent to
  UniqueFd dns_tcp;       // dual-stack listener for TCP port 53
  UniqueFd drop_log;      // netlink socket bound to the room's NFLOG group: one message for each rejected packet
};

// Makes a room in a short-lived child process (the caller's own namespaces are untouched) and returns its
// descriptors, all non-blocking (sockets) and close-on-exec. Takes a few ms. Works as root and as an ordinary user.
// Errors carry a hint (`weir doctor`).
Result<Room> make_room();

// In a forked child that is single-threaded: joins the room (user namespace first). Only async-signal-safe calls.
// Returns 0 or an errno.
int enter_room(int user_namespace, int network_namespace);

// The address that the peer dialled before the redirect (SO_ORIGINAL_DST, IP6T_SO_ORIGINAL_DST). IPv4 as AF_INET.
Result<sockaddr_storage> original_destination(int connected_socket);

// One rejected packet, parsed from a message of drop_log. The bytes are the sandbox's: parse in the proxy only.
struct DroppedPacket {
  std::string protocol;     // "udp", "tcp", "icmp", "icmpv6", else the number
  std::string destination;  // IP literal
  std::uint16_t port = 0;   // udp and tcp
  bool operator==(const DroppedPacket&) const = default;
};
// Reads what drop_log holds now and calls `each`-style: appends to `out`. Never blocks. `lost` counts messages the
// kernel had to drop (ENOBUFS). Needs no privilege, no filesystem, and only recv-family system calls.
void read_drop_log(int drop_log, std::vector<DroppedPacket>& out, std::uint64_t& lost);

}  // namespace weir::netns
