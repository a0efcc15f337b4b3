// What the short-lived child of make_room() does, in this order: user and network namespace, lo, listeners, firewall,
// drop log. Only system calls on what was made before the fork, so that it is safe under a parent with threads.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "netns/netlink_batch.h"

namespace weir::netns {

// Made before the fork.
struct RoomPlan {
  uid_t user;
  gid_t group;
  NetlinkBatch loopback;
  NetlinkBatch firewall;
  NetlinkBatch drop_log;
};

enum class Stage : std::int32_t { done, namespaces, user_mapping, descriptors, loopback, listeners, firewall, drop_log };

// Sent by the child in one message. With Stage::done, kRoomDescriptors come along, in the order of Room's members.
struct RoomReport {
  Stage stage = Stage::done;  // where it failed
  std::int32_t error = 0;     // errno
  std::uint32_t step = 0;     // of that stage's batch
};

inline constexpr std::size_t kRoomDescriptors = 6;

[[noreturn]] void make_room_in_child(const RoomPlan& plan, int channel);

}  // namespace weir::netns
