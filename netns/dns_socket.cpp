#include "netns/dns_socket.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace weir::netns {
namespace {

constexpr std::size_t kControlSize = CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(in_pktinfo));

// A dual-stack socket gives both structures for an IPv4 datagram, an IPv4 socket the first only.
bool read_local_address(msghdr& message, in6_addr& local) {
  bool found = false;
  for (cmsghdr* item = CMSG_FIRSTHDR(&message); item != nullptr; item = CMSG_NXTHDR(&message, item)) {
    if (item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_PKTINFO &&
        item->cmsg_len >= CMSG_LEN(sizeof(in6_pktinfo))) {
      in6_pktinfo arrival;
      std::memcpy(&arrival, CMSG_DATA(item), sizeof arrival);
      local = arrival.ipi6_addr;
      found = true;
    } else if (item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_PKTINFO &&
               item->cmsg_len >= CMSG_LEN(sizeof(in_pktinfo))) {
      in_pktinfo arrival;
      std::memcpy(&arrival, CMSG_DATA(item), sizeof arrival);
      local = in6_addr{};
      local.s6_addr[10] = local.s6_addr[11] = 0xff;
      std::memcpy(&local.s6_addr[12], &arrival.ipi_addr, 4);
      found = true;
    }
  }
  return found;
}

template <class Info>
void put_control(msghdr& message, int level, int type, const Info& info) {
  message.msg_controllen = CMSG_SPACE(sizeof info);
  cmsghdr* item = CMSG_FIRSTHDR(&message);
  item->cmsg_level = level;
  item->cmsg_type = type;
  item->cmsg_len = CMSG_LEN(sizeof info);
  std::memcpy(CMSG_DATA(item), &info, sizeof info);
}

}  // namespace

Result<Datagram> receive_datagram(int dns_udp, std::span<char> buffer) {
  Datagram datagram;
  iovec part{buffer.data(), buffer.size()};
  alignas(cmsghdr) char control[kControlSize];
  msghdr message{};
  message.msg_name = &datagram.path.peer;
  message.msg_namelen = sizeof datagram.path.peer;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t got = 0;
  do got = recvmsg(dns_udp, &message, MSG_DONTWAIT);
  while (got < 0 && errno == EINTR);
  if (got < 0 && errno == EAGAIN) return fail("would_block", "no datagram");
  if (got < 0) return fail_errno("dns_socket_failed", "cannot receive on the DNS socket", errno);
  if ((message.msg_flags & MSG_TRUNC) != 0) return fail("datagram_truncated", "a datagram was larger than the buffer");
  if (!read_local_address(message, datagram.path.local))
    return fail("dns_socket_failed",
                "the DNS socket does not say at which address a datagram arrived (IPV6_RECVPKTINFO is off)");
  datagram.path.peer_size = message.msg_namelen;
  datagram.bytes = {buffer.data(), static_cast<std::size_t>(got)};
  return datagram;
}

Result<void> reply_datagram(int dns_udp, std::string_view bytes, const ReplyPath& path) {
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) char control[kControlSize] = {};
  sockaddr_storage peer = path.peer;
  msghdr message{};
  message.msg_name = &peer;
  message.msg_namelen = path.peer_size;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  if (peer.ss_family == AF_INET) {
    in_pktinfo departure{};
    std::memcpy(&departure.ipi_spec_dst, &path.local.s6_addr[12], 4);
    put_control(message, IPPROTO_IP, IP_PKTINFO, departure);
  } else {  // for an IPv4 peer of a dual-stack socket the mapped address does (ip(7), ipv6(7))
    in6_pktinfo departure{};
    departure.ipi6_addr = path.local;
    put_control(message, IPPROTO_IPV6, IPV6_PKTINFO, departure);
  }
  ssize_t sent = 0;
  do sent = sendmsg(dns_udp, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent >= 0) return {};
  if (errno == EAGAIN || errno == ENOBUFS) return fail("would_block", "the DNS socket's buffer is full");
  return fail_errno("dns_socket_failed", "cannot send on the DNS socket", errno);
}

}  // namespace weir::netns
