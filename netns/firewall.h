// The room's rules, as one nftables transaction (table inet weir):
//
//   nat output:     to loopback and the room's own address  → as it is (servers inside the sandbox)
//                   udp, tcp port 53                        → weir's DNS listener
//                   tcp                                     → weir's TCP listener
//   filter output:  replies; to loopback and own address    → accept
//                   all the rest, of any protocol           → logged, then refused with an ICMP error (tcp: reset)
//
// SECURITY: G1 does not rest on these rules: without them there is still no way out. They bring the traffic to weir
// and make what weir does not carry (QUIC, ICMP, SCTP, multicast …) fail at once and be recorded (G3).
#pragma once

#include "netns/netlink_batch.h"

namespace weir::netns {

NetlinkBatch firewall_setup();  // for a NETLINK_NETFILTER socket; throws std::bad_alloc only
NetlinkBatch drop_log_setup();  // binds the NETLINK_NETFILTER socket that it is sent on to the room's NFLOG group

}  // namespace weir::netns
