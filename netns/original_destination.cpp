#include <netinet/in.h>

#include <cerrno>
#include <cstring>

#include "netns/room.h"

namespace weir::netns {
namespace {

// linux/netfilter_ipv4.h and linux/netfilter_ipv6/ip6_tables.h have these, and clash with netinet/in.h.
constexpr int kSoOriginalDst = 80;
constexpr int kIp6tSoOriginalDst = 80;

}  // namespace

Result<sockaddr_storage> original_destination(int connected_socket) {
  sockaddr_storage local{};
  socklen_t size = sizeof local;
  if (getsockname(connected_socket, reinterpret_cast<sockaddr*>(&local), &size) != 0)
    return fail_errno("original_destination_failed", "cannot read the connection's own address", errno);
  bool ipv4 = local.ss_family == AF_INET;
  if (local.ss_family == AF_INET6) {
    sockaddr_in6 mapped;
    std::memcpy(&mapped, &local, sizeof mapped);
    ipv4 = IN6_IS_ADDR_V4MAPPED(&mapped.sin6_addr);
  }
  // conntrack keeps the address that was dialled as long as it knows the connection; once it has forgotten it, this is
  // an error (ENOENT) and the connection must be refused: G4.
  sockaddr_storage dialled{};
  size = sizeof dialled;
  const int got = ipv4 ? getsockopt(connected_socket, IPPROTO_IP, kSoOriginalDst, &dialled, &size)
                       : getsockopt(connected_socket, IPPROTO_IPV6, kIp6tSoOriginalDst, &dialled, &size);
  if (got != 0)
    return fail_errno("original_destination_failed", "the kernel does not know which address the connection was dialled to",
                      errno);
  return dialled;
}

}  // namespace weir::netns
