// The room's only interface: lo, up, on which every address is local ("AnyIP"), so that a packet to anywhere has a
// route, and that route ends in the room. SECURITY: G1.
#pragma once

#include "netns/netlink_batch.h"

namespace weir::netns {

// For a NETLINK_ROUTE socket. A kernel without IPv6 makes a room without IPv6.
NetlinkBatch loopback_setup();

}  // namespace weir::netns
