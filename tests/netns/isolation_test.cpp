// SECURITY: G1, G6. Nothing in the room reaches the host, with the rules or without them, and nothing stays behind.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <ifaddrs.h>
#include <libmnl/libmnl.h>
#include <linux/if_packet.h>
#include <linux/net_namespace.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/un.h>

#include <array>
#include <set>

#include "netns/firewall.h"
#include "tests/netns/room_probe.h"

namespace weir::netns {
namespace {

// A listener of the host on every address of its own; says whether anything has come.
class HostServer {
 public:
  explicit HostServer(int type) : fd_(socket(AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    Endpoint at = endpoint("::", 0);
    EXPECT_EQ(bind(fd_.get(), at.get(), at.size), 0);
    if (type == SOCK_STREAM) {
      EXPECT_EQ(listen(fd_.get(), 8), 0);
    }
    sockaddr_in6 bound{};
    socklen_t size = sizeof bound;
    getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&bound), &size);
    port_ = ntohs(bound.sin6_port);
  }
  std::uint16_t port() const { return port_; }
  bool reached() const { return readable(fd_.get(), 0); }

 private:
  UniqueFd fd_;
  std::uint16_t port_ = 0;
};

// 127.0.0.1, ::1 and every other address of the host's interfaces
std::set<std::string> host_addresses() {
  std::set<std::string> addresses;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return addresses;
  for (const ifaddrs* each = list; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr) continue;
    char text[INET6_ADDRSTRLEN] = "";
    if (each->ifa_addr->sa_family == AF_INET)
      inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(each->ifa_addr)->sin_addr, text, sizeof text);
    if (each->ifa_addr->sa_family == AF_INET6)
      inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(each->ifa_addr)->sin6_addr, text, sizeof text);
    if (text[0] != '\0') addresses.insert(text);
  }
  freeifaddrs(list);
  return addresses;
}

// `nft flush ruleset`, with the room's own privileges
std::string flush_ruleset() {
  const UniqueFd fd(open_netlink(NETLINK_NETFILTER));
  NetlinkBatch batch;
  std::array<char, 256> buffer{};
  const auto append = [&](std::uint16_t type, std::uint16_t flags, std::uint16_t resource) {
    nlmsghdr* header = mnl_nlmsg_put_header(buffer.data());
    header->nlmsg_type = type;
    header->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    header->nlmsg_seq = batch.next_sequence();
    static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(nfgenmsg)))->res_id = htons(resource);
    batch.append(header, "");
  };
  append(NFNL_MSG_BATCH_BEGIN, 0, NFNL_SUBSYS_NFTABLES);
  append((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_DELTABLE, NLM_F_ACK, 0);
  append(NFNL_MSG_BATCH_END, 0, NFNL_SUBSYS_NFTABLES);
  const NetlinkOutcome outcome = run_batch(fd.get(), batch);
  return outcome.error == 0 ? "flushed" : std::strerror(outcome.error);
}

TEST_F(InARoom, HasNoInterfaceButLo) {
  EXPECT_EQ(in_room(room,
                    []() -> std::string {
                      std::string names;
                      struct if_nameindex* list = if_nameindex();
                      for (const struct if_nameindex* each = list; each->if_index != 0; ++each)
                        names += std::string(each->if_name) + " ";
                      if_freenameindex(list);
                      return names;
                    }),
            "lo ");
}

TEST_F(InARoom, ForwardsNothing) {
  EXPECT_EQ(in_room(room,
                    []() -> std::string {
                      FILE* file = fopen("/proc/sys/net/ipv4/ip_forward", "re");
                      const int value = file == nullptr ? '?' : fgetc(file);
                      if (file != nullptr) fclose(file);
                      return {static_cast<char>(value)};
                    }),
            "0");
}

TEST_F(InARoom, TheHostsServersCannotBeReached) {
  const HostServer tcp(SOCK_STREAM);
  const HostServer udp(SOCK_DGRAM);
  for (const std::string& ip : host_addresses()) {
    in_room(room, [&] { return dial(ip, tcp.port()) + send_udp(ip, udp.port()); });
    EXPECT_FALSE(tcp.reached()) << ip;
    EXPECT_FALSE(udp.reached()) << ip;
  }
  EXPECT_EQ(in_room(room, [&] { return dial("127.0.0.1", tcp.port()); }), "ECONNREFUSED");
  EXPECT_EQ(in_room(room, [&] { return dial("::1", tcp.port()); }), "ECONNREFUSED");
}

TEST_F(InARoom, WithoutAnyRuleStillNothingLeaves) {
  const HostServer tcp(SOCK_STREAM);
  const HostServer udp(SOCK_DGRAM);
  ASSERT_EQ(in_room(room, flush_ruleset), "flushed");
  for (std::set<std::string> targets = host_addresses(); const std::string& ip : targets) {
    EXPECT_EQ(in_room(room, [&] { return dial(ip, tcp.port()); }), "ECONNREFUSED") << ip;
    in_room(room, [&] { return send_udp(ip, udp.port()); });
    in_room(room, [&] { return send_raw(ip, IPPROTO_ICMP, std::string(8, '\0')); });
    EXPECT_FALSE(tcp.reached()) << ip;
    EXPECT_FALSE(udp.reached()) << ip;
  }
  for (const std::string ip : {"203.0.113.5", "8.8.8.8", "2001:db8::5", "169.254.169.254"})
    EXPECT_EQ(in_room(room, [&] { return dial(ip, 443); }), "ECONNREFUSED") << ip;
  EXPECT_FALSE(readable(room.tcp_listener.get(), 0));
}

TEST_F(InARoom, FramesOnLoComeBackToTheRoomAlone) {
  const HostServer udp(SOCK_DGRAM);
  const std::string result = in_room(room, [&]() -> std::string {
    const UniqueFd fd(socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP)));
    if (!fd) return "socket: " + error_name();
    std::string packet(29, '\0');  // IPv4 and UDP by hand, from 127.0.0.1 to 127.0.0.1
    packet[0] = 0x45;
    packet[3] = 29;
    packet[8] = 64;
    packet[9] = IPPROTO_UDP;
    packet[12] = packet[16] = 127;
    packet[15] = packet[19] = 1;
    packet[22] = static_cast<char>(udp.port() >> 8);
    packet[23] = static_cast<char>(udp.port() & 0xFF);
    packet[25] = 9;
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_protocol = htons(ETH_P_IP);
    to.sll_ifindex = 1;
    return sendto(fd.get(), packet.data(), packet.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof to) > 0 ? "sent"
                                                                                                              : error_name();
  });
  EXPECT_EQ(result, "sent");
  EXPECT_FALSE(udp.reached());
}

TEST_F(InARoom, TheHostsAbstractUnixSocketsCannotBeReached) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  const std::string text = "weir-test-" + std::to_string(getpid());
  text.copy(name.sun_path + 1, sizeof name.sun_path - 2);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
  const UniqueFd server(socket(AF_UNIX, SOCK_STREAM, 0));
  ASSERT_EQ(bind(server.get(), reinterpret_cast<sockaddr*>(&name), size), 0);
  ASSERT_EQ(listen(server.get(), 1), 0);
  const auto knock = [&]() -> std::string {
    const UniqueFd fd(socket(AF_UNIX, SOCK_STREAM, 0));
    return connect(fd.get(), reinterpret_cast<sockaddr*>(&name), size) == 0 ? "connected" : error_name();
  };
  EXPECT_EQ(in_room(room, knock), "ECONNREFUSED");
  EXPECT_EQ(Child(knock).result(), "connected") << "the host itself reaches it";
}

// bubblewrap puts the command into a user namespace of its own, below the room's.
TEST_F(InARoom, AProcessInAUserNamespaceBelowHasNoPowerOverTheRoom) {
  const auto below = [&](const std::function<std::string()>& body) {
    return in_room(room, [&]() -> std::string { return unshare(CLONE_NEWUSER) == 0 ? body() : "unshare: " + error_name(); });
  };
  EXPECT_EQ(below(flush_ruleset), std::strerror(EPERM));
  EXPECT_EQ(below([]() -> std::string {
              const UniqueFd control(socket(AF_INET, SOCK_DGRAM, 0));
              ifreq request{};
              std::strcpy(request.ifr_name, "lo");
              return ioctl(control.get(), SIOCSIFFLAGS, &request) == 0 ? "lo is down" : error_name();
            }),
            "EPERM");
  EXPECT_EQ(below([] { return send_raw("203.0.113.5", IPPROTO_ICMP, "x"); }), "socket: EPERM");
  EXPECT_EQ(below([&] { return std::to_string(enter_room(room.user_namespace.get(), room.network_namespace.get())); }),
            std::to_string(EPERM));
  EXPECT_EQ(below([]() -> std::string {
              const Endpoint at = endpoint("0.0.0.0", 443);
              const UniqueFd fd(socket(AF_INET, SOCK_STREAM, 0));
              return bind(fd.get(), at.get(), at.size) == 0 ? "bound" : error_name();
            }),
            "EACCES");
  Child client(entering(room, [] { return unshare(CLONE_NEWUSER) == 0 ? dial("203.0.113.5", 443) : error_name(); }));
  EXPECT_EQ(arrived_for(room.tcp_listener), "203.0.113.5 443");
}

TEST_F(InARoom, TwoRoomsAreApart) {
  const auto other = make_room();
  ASSERT_TRUE(other.has_value());
  Child client(entering(*other, [] { return dial("203.0.113.5", 443); }));
  EXPECT_EQ(arrived_for(other->tcp_listener), "203.0.113.5 443");
  EXPECT_FALSE(readable(room.tcp_listener.get(), 0));
}

TEST_F(InARoom, TheHostsOwnNamespacesAreNotChanged) {
  EXPECT_EQ(Child([&] { return dial("127.0.0.1", 1); }).result(), "ECONNREFUSED");  // no listener of ours out here
  for (const char* kind : {"user", "net"}) {
    char before[64] = "";
    char after[64] = "";
    const std::string path = std::string("/proc/self/ns/") + kind;
    ASSERT_GT(readlink(path.c_str(), before, sizeof before - 1), 0);
    ASSERT_TRUE(make_room().has_value());
    ASSERT_GT(readlink(path.c_str(), after, sizeof after - 1), 0);
    EXPECT_STREQ(before, after);
  }
}

// Watches a room's namespace from a second one: the kernel tells RTNLGRP_NSID when it is no more.
TEST_F(InARoom, ClosingAllDescriptorsEndsTheNamespace) {
  int ready[2];
  ASSERT_EQ(pipe2(ready, O_CLOEXEC), 0);
  Child watcher([&]() -> std::string {
    if (enter_room(room.user_namespace.get(), room.network_namespace.get()) != 0) return "enter_room";
    const UniqueFd watched(fcntl(room.network_namespace.get(), F_DUPFD_CLOEXEC, 0));
    if (unshare(CLONE_NEWNET) != 0) return "unshare: " + error_name();
    UniqueFd fd(open_netlink(NETLINK_ROUTE));
    std::array<char, 256> buffer{};
    nlmsghdr* header = mnl_nlmsg_put_header(buffer.data());
    header->nlmsg_type = RTM_NEWNSID;
    header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    mnl_nlmsg_put_extra_header(header, sizeof(rtgenmsg));
    mnl_attr_put_u32(header, NETNSA_NSID, 7);
    mnl_attr_put_u32(header, NETNSA_FD, static_cast<std::uint32_t>(watched.get()));
    NetlinkBatch batch;
    batch.append(header, "");
    if (const NetlinkOutcome outcome = run_batch(fd.get(), batch); outcome.error != 0) return std::strerror(outcome.error);
    const int group = RTNLGRP_NSID;
    if (setsockopt(fd.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0) return error_name();
    // Let go of all that this process inherited, then say so.
    const_cast<UniqueFd&>(watched).reset();
    room = Room{};
    (void)!write(ready[1], "r", 1);
    if (!readable(fd.get(), 20000)) return "it lives on";
    char message[512];
    const ssize_t got = recv(fd.get(), message, sizeof message, 0);
    nlmsghdr first{};
    if (got >= static_cast<ssize_t>(sizeof first)) std::memcpy(&first, message, sizeof first);
    return first.nlmsg_type == RTM_DELNSID ? "gone" : "another message";
  });
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  room = Room{};
  EXPECT_EQ(watcher.result(), "gone");
  close(ready[0]);
  close(ready[1]);
}

}  // namespace
}  // namespace weir::netns
