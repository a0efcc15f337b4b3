#include "base/message_channel.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "base/secret.h"

namespace weir {

Result<std::pair<UniqueFd, UniqueFd>> make_channel() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return fail_errno("channel_failed", "cannot make a socket pair", errno);
  std::pair<UniqueFd, UniqueFd> pair{UniqueFd(ends[0]), UniqueFd(ends[1])};
  for (const int end : ends) {
    const int size = 4 << 20;  // capped by net.core.wmem_max; more room means fewer stalls
    (void)setsockopt(end, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  }
  return pair;
}

Result<void> send_message(int channel, std::string_view bytes, std::span<const int> descriptors) {
  if (bytes.size() > kMaxMessage || descriptors.size() > kMaxDescriptors)
    return fail("message_too_large", "a message of " + std::to_string(bytes.size()) + " bytes is over the channel's limit");
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxDescriptors)] = {};
  if (!descriptors.empty()) {
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* item = CMSG_FIRSTHDR(&header);
    item->cmsg_level = SOL_SOCKET;
    item->cmsg_type = SCM_RIGHTS;
    item->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(item), descriptors.data(), descriptors.size_bytes());
  }
  for (;;) {
    if (sendmsg(channel, &header, MSG_NOSIGNAL) >= 0) return {};
    if (errno == EINTR) continue;
    if (errno == EAGAIN) return fail("channel_full", "the channel is full");
    if (errno == EPIPE || errno == ECONNRESET) return fail("channel_closed", "the other end of the channel is gone");
    return fail_errno("channel_failed", "cannot send on the channel", errno);
  }
}

Result<Message> receive_message(int channel) {
  Message message;
  thread_local std::string buffer(kMaxMessage, '\0');
  iovec part{buffer.data(), buffer.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxDescriptors)];
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  ssize_t got = 0;
  do got = recvmsg(channel, &header, MSG_CMSG_CLOEXEC);
  while (got < 0 && errno == EINTR);
  if (got < 0 && errno == EAGAIN) return fail("channel_empty", "no message");
  if (got < 0 && errno != ECONNRESET) return fail_errno("channel_failed", "cannot receive on the channel", errno);
  for (cmsghdr* item = CMSG_FIRSTHDR(&header); got >= 0 && item != nullptr; item = CMSG_NXTHDR(&header, item)) {
    if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (item->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(item) + i * sizeof(int), sizeof(int));
      message.descriptors.emplace_back(fd);
    }
  }
  if (got <= 0) return fail("channel_closed", "the other end of the channel is gone");
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) return fail("channel_truncated", "a message was over the channel's limit");
  message.bytes.assign(buffer.data(), static_cast<std::size_t>(got));
  wipe(buffer.data(), static_cast<std::size_t>(got));  // SECURITY: G2, it may have been a secret, and the buffer stays
  return message;
}

}  // namespace weir
