// One netlink message of the room's drop log, as a function of bytes. The packet in it is the sandbox's.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "netns/room.h"

namespace weir::netns {

// The first bytes of an IP packet, perhaps cut short. nullopt: not IPv4 or IPv6, or too short for its addresses.
std::optional<DroppedPacket> parse_dropped_packet(std::string_view packet);

struct LoggedPacket {
  DroppedPacket packet;
  std::optional<std::uint32_t> sequence;  // the group's own counter
};

// What a datagram from the netlink socket holds: any number of messages, appended. Others are passed over; a message
// that is cut short ends it.
void parse_drop_messages(std::string_view datagram, std::vector<LoggedPacket>& out);

}  // namespace weir::netns
