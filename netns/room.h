// The sealed room: a user and network namespace with no way out but the sockets made here (docs/architecture.md).
// SECURITY: G1 (no uplink exists), G6 (nothing outside the new namespaces is changed; no root needed).
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

namespace weir::netns {

struct Room {
  UniqueFd user_namespace;  // for setns(2); the room lives as long as any of these descriptors or a process in it
  UniqueFd network_namespace;
  UniqueFd tcp_listener;  // dual-stack; every TCP connect in the room arrives here (except port 53)
  UniqueFd dns_udp;   // dual-stack, IP_PKTINFO and IPV6_RECVPKTINFO set: a reply must leave from the address it was sent to
  UniqueFd dns_tcp;   // dual-stack listener for TCP port 53
  UniqueFd drop_log;  // netlink socket bound to the room's NFLOG group: one message for each rejected packet
};

// Makes a room in a short-lived child process (the caller's own namespaces are untouched) and returns its
// descriptors, all non-blocking (sockets) and close-on-exec. Takes a few ms. Works as root and as an ordinary user.
// Errors name the step that was refused and what to do ("namespace_refused", "firewall_refused", "room_failed").
// In the room, 127.0.0.0/8, ::1 and its own addresses (room_layout.h) are left to servers of the sandbox itself.
Result<Room> make_room();

// In a forked child that is single-threaded: joins the room (user namespace first). Only async-signal-safe calls.
// Returns 0 or an errno.
int enter_room(int user_namespace, int network_namespace);

// The address that the peer dialled before the redirect (SO_ORIGINAL_DST, IP6T_SO_ORIGINAL_DST). IPv4 as AF_INET. A
// peer that dialled the listener itself (loopback or an own address of the room) gives just that address: refuse it.
Result<sockaddr_storage> original_destination(int connected_socket);

// One rejected packet, parsed from a message of drop_log. The bytes are the sandbox's: parse in the proxy only.
struct DroppedPacket {
  std::string protocol;     // "udp", "tcp", "icmp", "icmpv6", else the number
  std::string destination;  // IP literal
  std::uint16_t port = 0;   // udp and tcp
  bool operator==(const DroppedPacket&) const = default;
};

// Where a reader of the drop log stands. With one kept from call to call, `lost` is exact.
struct DropLogPosition {
  std::optional<std::uint32_t> next;  // the kernel numbers its messages
  std::uint32_t counted_ahead = 0;    // already in `lost`, before the gap was seen
};

// Reads what drop_log holds now (at most a few thousand packets in one call: call again while the socket is readable)
// and appends to `out`. Never blocks. `lost` grows by the messages that the kernel had to drop because the socket's
// queue was full (which shows at the next message); without a position, a loss between two calls counts as one. Needs
// no privilege, no filesystem, and only recvmsg(2).
void read_drop_log(int drop_log, std::vector<DroppedPacket>& out, std::uint64_t& lost, DropLogPosition& position);
void read_drop_log(int drop_log, std::vector<DroppedPacket>& out, std::uint64_t& lost);

}  // namespace weir::netns
