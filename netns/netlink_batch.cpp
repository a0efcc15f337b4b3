#include "netns/netlink_batch.h"

#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>

namespace weir::netns {
namespace {

bool means_no_ipv6(int error) {
  return error == EOPNOTSUPP || error == EAFNOSUPPORT || error == EACCES || error == EPFNOSUPPORT;
}

}  // namespace

void NetlinkBatch::append(const nlmsghdr* message, std::string what, bool ipv6) {
  bytes.append(reinterpret_cast<const char*>(message), message->nlmsg_len);
  bytes.resize(NLMSG_ALIGN(bytes.size()));
  if ((message->nlmsg_flags & NLM_F_ACK) != 0) last_reply = next_sequence();
  steps.push_back({std::move(what), ipv6});
}

int open_netlink(int protocol) {
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  if (fd < 0) return -1;
  const int one = 1;
  (void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof one);  // errors without a copy of the request
  const timeval patience{.tv_sec = 5, .tv_usec = 0};
  (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return fd;
}

NetlinkOutcome run_batch(int netlink_socket, const NetlinkBatch& batch) {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  ssize_t sent = 0;
  do
    sent = sendto(netlink_socket, batch.bytes.data(), batch.bytes.size(), 0, reinterpret_cast<sockaddr*>(&kernel),
                  sizeof kernel);
  while (sent < 0 && errno == EINTR);
  if (sent < 0) return {errno, 0};

  alignas(nlmsghdr) char buffer[8192];
  for (;;) {
    const ssize_t got = recv(netlink_socket, buffer, sizeof buffer, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return {got < 0 && errno != EAGAIN ? errno : ETIMEDOUT, batch.last_reply};
    auto left = static_cast<std::size_t>(got);
    const char* at = buffer;
    while (left >= sizeof(nlmsghdr)) {
      nlmsghdr header;
      std::memcpy(&header, at, sizeof header);
      if (header.nlmsg_len < sizeof header || header.nlmsg_len > left) break;
      if (header.nlmsg_type == NLMSG_ERROR && header.nlmsg_len >= sizeof header + sizeof(int)) {
        int code = 0;  // nlmsgerr.error: 0 or a negative errno
        std::memcpy(&code, at + sizeof header, sizeof code);
        const std::uint32_t sequence = header.nlmsg_seq;
        const bool ipv6 = sequence < batch.steps.size() && batch.steps[sequence].ipv6;
        if (code != 0 && !(ipv6 && means_no_ipv6(-code))) return {-code, sequence};
        if (sequence == batch.last_reply) return {};
      }
      const std::size_t step = NLMSG_ALIGN(header.nlmsg_len);
      if (step >= left) break;
      at += step;
      left -= step;
    }
  }
}

}  // namespace weir::netns
