// What weir does not carry fails at once and is recorded.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <netinet/ip_icmp.h>

#include "tests/netns/room_probe.h"

namespace weir::netns {
namespace {

using testing::AnyOf;
using testing::Contains;
using testing::ElementsAre;
using testing::SizeIs;

TEST_F(InARoom, UdpToElsewhereFailsAtOnceAndIsLogged) {
  for (const std::string ip :
       {"203.0.113.5", "8.8.8.8", "10.1.2.3", "169.254.169.254", "2001:db8::5", "fe80::1", "fd00::1"}) {
    EXPECT_EQ(in_room(room, [&] { return send_udp(ip, 443); }), "EPERM") << ip;
    EXPECT_THAT(drops(), ElementsAre(DroppedPacket{"udp", ip, 443}));
  }
}

TEST_F(InARoom, AConnectedUdpSocketIsToldByAnIcmpError) {
  for (const std::string ip : {"203.0.113.5", "2001:db8::5"}) {
    const std::string result = in_room(room, [&]() -> std::string {
      const Endpoint to = endpoint(ip, 443);
      const UniqueFd fd(socket(to.family(), SOCK_DGRAM, 0));
      if (connect(fd.get(), to.get(), to.size) != 0) return "connect: " + error_name();
      (void)send(fd.get(), "x", 1, 0);
      if (!readable(fd.get())) return "nothing";
      char byte = 0;
      return recv(fd.get(), &byte, 1, 0) < 0 ? error_name() : "received";
    });
    EXPECT_THAT(result, AnyOf("ECONNREFUSED", "EHOSTUNREACH", "EACCES")) << ip;
    EXPECT_THAT(drops(), SizeIs(1)) << "the ICMP error itself must not be taken for a packet that leaves";
  }
}

TEST_F(InARoom, MulticastAndBroadcastAreRefusedAndLogged) {
  for (const std::string ip : {"224.0.0.251", "239.255.255.250", "255.255.255.255", "ff02::fb", "ff05::1"}) {
    EXPECT_EQ(in_room(room, [&] { return send_udp(ip, 5353); }), "EPERM") << ip;
    EXPECT_THAT(drops(), Contains(DroppedPacket{"udp", ip, 5353}));
  }
}

std::string echo_request(int family) {
  icmphdr header{};
  header.type = family == AF_INET ? ICMP_ECHO : 128;
  return {reinterpret_cast<const char*>(&header), sizeof header};
}

TEST_F(InARoom, RawIcmpIsRefusedAndLogged) {
  EXPECT_EQ(in_room(room, [] { return send_raw("203.0.113.5", IPPROTO_ICMP, echo_request(AF_INET)); }), "EPERM");
  EXPECT_THAT(drops(), ElementsAre(DroppedPacket{"icmp", "203.0.113.5", 0}));
  EXPECT_EQ(in_room(room, [] { return send_raw("2001:db8::5", IPPROTO_ICMPV6, echo_request(AF_INET6)); }), "EPERM");
  EXPECT_THAT(drops(), ElementsAre(DroppedPacket{"icmpv6", "2001:db8::5", 0}));
}

TEST_F(InARoom, PingSocketsAreRefusedAndLogged) {
  const auto ping = [&](const std::string& ip, int protocol) {
    return in_room(room, [&]() -> std::string {
      if (!write_text("/proc/sys/net/ipv4/ping_group_range", "0 0")) return "skip";
      const Endpoint to = endpoint(ip, 0);
      const UniqueFd fd(socket(to.family(), SOCK_DGRAM, protocol));
      if (!fd) return "socket: " + error_name();
      const std::string request = echo_request(to.family());
      return sendto(fd.get(), request.data(), request.size(), 0, to.get(), to.size) < 0 ? error_name() : "sent";
    });
  };
  const std::string result = ping("203.0.113.5", IPPROTO_ICMP);
  if (result == "skip") GTEST_SKIP() << "/proc/sys cannot be written here";
  EXPECT_EQ(result, "EPERM");
  EXPECT_THAT(drops(), ElementsAre(DroppedPacket{"icmp", "203.0.113.5", 0}));
  EXPECT_THAT(ping("2001:db8::5", IPPROTO_ICMPV6),
              AnyOf("EPERM", "sent"));  // the kernel keeps the error of this one to itself
  EXPECT_THAT(drops(), ElementsAre(DroppedPacket{"icmpv6", "2001:db8::5", 0}));
}

TEST_F(InARoom, OtherProtocolsAreRefusedAndLogged) {
  for (const std::string ip : {"203.0.113.5", "2001:db8::5"}) {
    for (const int protocol :
         std::initializer_list<int>{IPPROTO_SCTP, IPPROTO_DCCP, IPPROTO_GRE, IPPROTO_ESP, IPPROTO_UDPLITE, 253}) {
      EXPECT_EQ(in_room(room, [&] { return send_raw(ip, protocol, std::string(24, '\1')); }), "EPERM")
          << ip << " " << protocol;
      EXPECT_THAT(drops(), ElementsAre(DroppedPacket{std::to_string(protocol), ip, 0}));
    }
  }
}

TEST_F(InARoom, ASctpConnectIsRefused) {
  const std::string result = in_room(room, []() -> std::string {
    const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_SCTP));
    if (!fd) return "skip";
    const Endpoint to = endpoint("203.0.113.5", 443);
    if (connect(fd.get(), to.get(), to.size) == 0) return "connected";
    return errno == EINPROGRESS ? "refused" : error_name();
  });
  if (result == "skip") GTEST_SKIP() << "no SCTP in this kernel";
  EXPECT_NE(result, "connected");
}

TEST_F(InARoom, RepliesToNobodyAreRefusedToo) {
  // A TCP segment out of the blue: not the start of a connection, so never redirected.
  std::string segment(20, '\0');
  segment[2] = 1;  // to port 443
  segment[3] = static_cast<char>(0xBB);
  segment[12] = 0x50;
  segment[13] = 0x10;  // ACK
  const std::string result = in_room(room, [&] { return send_raw("203.0.113.5", IPPROTO_TCP, segment); });
  const auto logged = drops();
  // conntrack takes an ACK for a connection picked up in the middle and redirects it, or calls it invalid; it stays inside.
  if (logged.empty()) {
    EXPECT_EQ(result, "sent");
  } else {
    EXPECT_EQ(logged.front(), (DroppedPacket{"tcp", "203.0.113.5", 443}));
  }
}

TEST_F(InARoom, AFloodIsCountedToTheLastPacket) {
  constexpr std::uint64_t kPackets = 5000;
  const int small = 4096;
  ASSERT_EQ(setsockopt(room.drop_log.get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
  EXPECT_EQ(in_room(room,
                    []() -> std::string {
                      const Endpoint to = endpoint("203.0.113.5", 443);
                      const UniqueFd fd(socket(AF_INET, SOCK_DGRAM, 0));
                      for (std::uint64_t i = 0; i < kPackets; ++i)
                        if (sendto(fd.get(), "x", 1, 0, to.get(), to.size) >= 0) return "sent";
                      return "refused";
                    }),
            "refused");
  DropLogPosition position;
  position.next = 0;
  std::vector<DroppedPacket> packets;
  const auto drain = [&] {
    while (readable(room.drop_log.get(), 0)) read_drop_log(room.drop_log.get(), packets, lost, position);
  };
  drain();
  EXPECT_GT(lost, 0U) << "the queue should have been too small";
  in_room(room, [] { return send_udp("203.0.113.6", 443); });
  drain();
  EXPECT_EQ(packets.size() + lost, kPackets + 1);
}

TEST_F(InARoom, ReadingAnEmptyLogGivesNothing) {
  EXPECT_TRUE(drops().empty());
  EXPECT_EQ(lost, 0U);
}

}  // namespace
}  // namespace weir::netns
