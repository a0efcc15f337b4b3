#include "netns/room_child.h"

#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <string_view>

#include "base/message_channel.h"
#include "netns/room_layout.h"

namespace weir::netns {
namespace {

[[noreturn]] void report(int channel, const RoomReport& result, std::span<const int> descriptors = {}) {
  const std::string_view bytes(reinterpret_cast<const char*>(&result), sizeof result);
  const bool sent = send_message(channel, bytes, descriptors).has_value();
  _exit(sent ? 0 : 1);
}

[[noreturn]] void give_up(int channel, Stage stage, int error, std::uint32_t step = 0) {
  report(channel, {.stage = stage, .error = error, .step = step});
}

int write_whole(const char* path, std::string_view text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  const ssize_t wrote = write(fd, text.data(), text.size());  // one write: the kernel takes a map whole or not at all
  const int error = wrote < 0 ? errno : 0;
  close(fd);
  return error;
}

// "0 ID 1": the caller's own id is 0 inside, and there is no other.
int write_map(const char* path, unsigned id) {
  std::array<char, 32> text{'0', ' '};
  char* end = std::to_chars(text.data() + 2, text.data() + text.size() - 2, id).ptr;
  *end++ = ' ';
  *end++ = '1';
  return write_whole(path, {text.data(), static_cast<std::size_t>(end - text.data())});
}

int map_user(const RoomPlan& plan) {
  // A process that made itself undumpable (to guard its secrets) does not own its files in /proc; the child needs
  // those three for a moment. It is gone in a few ms, and dumpable only to processes of the same user on the host.
  const bool dumpable = prctl(PR_GET_DUMPABLE) == 1;
  if (!dumpable) (void)prctl(PR_SET_DUMPABLE, 1);
  int error = write_whole("/proc/self/setgroups", "deny");
  if (error == ENOENT) error = 0;  // no such file: an old kernel, on which the map alone is enough
  if (error == 0) error = write_map("/proc/self/uid_map", plan.user);
  if (error == 0) error = write_map("/proc/self/gid_map", plan.group);
  if (!dumpable) (void)prctl(PR_SET_DUMPABLE, 0);
  return error;
}

int set(int fd, int level, int name) {
  const int one = 1;
  return setsockopt(fd, level, name, &one, sizeof one);
}

// A dual-stack socket on every address of the room; IPv4 alone where the kernel has no IPv6. -1 and errno on failure.
int open_listener(int type, std::uint16_t port) {
  const int flags = type | SOCK_NONBLOCK | SOCK_CLOEXEC;
  sockaddr_in6 any6{};
  any6.sin6_family = AF_INET6;
  any6.sin6_port = htons(port);
  sockaddr_in any4{};
  any4.sin_family = AF_INET;
  any4.sin_port = htons(port);
  int fd = socket(AF_INET6, flags, 0);
  const bool ipv6 = fd >= 0;
  if (!ipv6 && errno == EAFNOSUPPORT) fd = socket(AF_INET, flags, 0);
  if (fd < 0) return -1;
  const int zero = 0;
  if (ipv6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero) != 0) return -1;
  if (type == SOCK_DGRAM) {
    if (set(fd, IPPROTO_IP, IP_PKTINFO) != 0) return -1;
    if (ipv6 && set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO) != 0) return -1;
  }
  // No SO_REUSEADDR or SO_REUSEPORT: nothing in the room can bind beside this socket.
  const int bound = ipv6 ? bind(fd, reinterpret_cast<sockaddr*>(&any6), sizeof any6)
                         : bind(fd, reinterpret_cast<sockaddr*>(&any4), sizeof any4);
  if (bound != 0) return -1;
  if (type == SOCK_STREAM && listen(fd, SOMAXCONN) != 0) return -1;
  return fd;
}

int run_on_new_socket(int channel, Stage stage, int protocol, const NetlinkBatch& batch) {
  const int fd = open_netlink(protocol);
  if (fd < 0) give_up(channel, stage, errno);
  const NetlinkOutcome outcome = run_batch(fd, batch);
  if (outcome.error != 0) give_up(channel, stage, outcome.error, outcome.sequence);
  return fd;
}

}  // namespace

void make_room_in_child(const RoomPlan& plan, int channel) {
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) give_up(channel, Stage::namespaces, errno);
  if (const int error = map_user(plan); error != 0) give_up(channel, Stage::user_mapping, error);
  const int user_namespace = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
  const int network_namespace = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  if (user_namespace < 0 || network_namespace < 0) give_up(channel, Stage::descriptors, errno);

  // A new namespace takes some settings from the host's: those below are set back where /proc/sys can be written, and
  // nothing depends on them. Every address is local, so nothing is ever forwarded; without IPv6 the room has IPv4.
  (void)write_whole("/proc/sys/net/ipv4/ip_forward", "0");
  (void)write_whole("/proc/sys/net/ipv6/conf/lo/disable_ipv6", "0");

  close(run_on_new_socket(channel, Stage::loopback, NETLINK_ROUTE, plan.loopback));

  const int tcp_listener = open_listener(SOCK_STREAM, kTcpPort);
  if (tcp_listener < 0) give_up(channel, Stage::listeners, errno);
  const int dns_udp = open_listener(SOCK_DGRAM, kDnsPort);
  if (dns_udp < 0) give_up(channel, Stage::listeners, errno);
  const int dns_tcp = open_listener(SOCK_STREAM, kDnsPort);
  if (dns_tcp < 0) give_up(channel, Stage::listeners, errno);

  const int drop_log = run_on_new_socket(channel, Stage::drop_log, NETLINK_NETFILTER, plan.drop_log);
  const int queue = 1 << 20;  // capped by net.core.rmem_max; what does not fit is counted as lost
  (void)setsockopt(drop_log, SOL_SOCKET, SO_RCVBUF, &queue, sizeof queue);
  if (fcntl(drop_log, F_SETFL, O_NONBLOCK) != 0) give_up(channel, Stage::drop_log, errno);

  close(run_on_new_socket(channel, Stage::firewall, NETLINK_NETFILTER, plan.firewall));

  const std::array<int, kRoomDescriptors> descriptors{user_namespace, network_namespace, tcp_listener,
                                                      dns_udp,        dns_tcp,           drop_log};
  report(channel, {}, descriptors);
}

}  // namespace weir::netns
