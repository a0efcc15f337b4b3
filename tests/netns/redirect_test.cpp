// What leaves a process in the room over TCP arrives at weir, with the address that was dialled.
#include <netdb.h>

#include "netns/room_layout.h"
#include "tests/netns/room_probe.h"

namespace weir::netns {
namespace {

const std::string kOwn4(kOwnAddress4);
const std::string kOwn6(kOwnAddress6);

TEST_F(InARoom, TcpToAnyAddressArrivesWithTheAddressThatWasDialled) {
  const std::vector<std::pair<std::string, std::uint16_t>> targets{{"203.0.113.5", 443},     {"8.8.8.8", 80},
                                                                   {"10.0.0.1", 22},         {"192.168.1.1", 65535},
                                                                   {"169.254.169.254", 80},  {"198.18.0.7", 5432},
                                                                   {"172.17.0.1", 1},        {"1.1.1.1", 853},
                                                                   {"100.64.0.1", 50000},    {"192.0.0.9", 443},
                                                                   {"2001:db8::5", 443},     {"fd00::1", 22},
                                                                   {"64:ff9b::808:808", 80}, {"fd77:6569:7200::2", 443},
                                                                   {"fe80::1", 443},         {"2606:4700::1111", 1}};
  for (const auto& [ip, port] : targets) {
    Child client(entering(room, [&] { return dial(ip, port); }));
    EXPECT_EQ(arrived_for(room.tcp_listener), ip + " " + std::to_string(port));
    EXPECT_EQ(client.result(), "connected") << ip;
  }
  EXPECT_TRUE(drops().empty());
}

TEST_F(InARoom, Ipv4DialledThroughAnIpv6SocketIsIpv4) {
  Child client(entering(room, [&] { return dial("::ffff:203.0.113.5", 443); }));
  const UniqueFd connection = next_connection(room.tcp_listener);
  const auto dialled = original_destination(connection.get());
  ASSERT_TRUE(dialled.has_value()) << dialled.error().message;
  EXPECT_EQ(dialled->ss_family, AF_INET);
  EXPECT_EQ(text_of(*dialled), "203.0.113.5 443");
}

TEST_F(InARoom, TcpPort53ArrivesAtTheDnsListener) {
  for (const std::string ip : {"9.9.9.9", "2001:db8::53", "127.0.0.1", "::1"}) {
    Child client(entering(room, [&] { return dial(ip, 53); }));
    EXPECT_EQ(arrived_for(room.dns_tcp), ip + " 53");
    EXPECT_EQ(client.result(), "connected");
  }
  EXPECT_FALSE(readable(room.tcp_listener.get(), 0));
}

TEST_F(InARoom, BytesFlowBothWays) {
  Child client(entering(room, [&]() -> std::string {
    const Endpoint to = endpoint("2001:db8::5", 443);
    const UniqueFd fd(socket(to.family(), SOCK_STREAM, 0));
    if (connect(fd.get(), to.get(), to.size) != 0) return error_name();
    if (send(fd.get(), "question", 8, 0) != 8) return error_name();
    char answer[16] = {};
    const ssize_t got = recv(fd.get(), answer, sizeof answer, MSG_WAITALL);
    return {answer, static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
  }));
  {
    const UniqueFd connection = next_connection(room.tcp_listener);
    char question[8] = {};
    EXPECT_EQ(recv(connection.get(), question, sizeof question, MSG_WAITALL), 8);
    EXPECT_EQ(std::string_view(question, 8), "question");
    EXPECT_EQ(send(connection.get(), "answer", 6, MSG_NOSIGNAL), 6);
  }
  EXPECT_EQ(client.result(), "answer");
}

TEST_F(InARoom, OneSourcePortToTwoAddressesKeepsThemApart) {
  Child client(entering(room, [&]() -> std::string {
    UniqueFd sockets[2];
    const char* targets[] = {"203.0.113.5", "203.0.113.6"};
    for (int i = 0; i < 2; ++i) {
      sockets[i].reset(socket(AF_INET, SOCK_STREAM, 0));
      const int one = 1;
      setsockopt(sockets[i].get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
      const Endpoint from = endpoint(kOwn4, 44444);
      if (bind(sockets[i].get(), from.get(), from.size) != 0) return "bind: " + error_name();
      const Endpoint to = endpoint(targets[i], 443);
      if (connect(sockets[i].get(), to.get(), to.size) != 0) return "connect: " + error_name();
    }
    return "connected";
  }));
  EXPECT_EQ(client.result(), "connected");
  EXPECT_EQ(arrived_for(room.tcp_listener), "203.0.113.5 443");
  EXPECT_EQ(arrived_for(room.tcp_listener), "203.0.113.6 443");
}

TEST_F(InARoom, AServerInsideStealsNoConnectionThatGoesElsewhere) {
  for (const std::string bound : {"0.0.0.0", "203.0.113.5", "::"}) {
    const std::string result = in_room(room, [&]() -> std::string {
      const Endpoint at = endpoint(bound, 443);
      const UniqueFd server(socket(at.family(), SOCK_STREAM | SOCK_NONBLOCK, 0));
      const int one = 1;
      setsockopt(server.get(), IPPROTO_IP, IP_TRANSPARENT, &one, sizeof one);
      if (bind(server.get(), at.get(), at.size) != 0) return "bind: " + error_name();
      if (listen(server.get(), 8) != 0) return "listen: " + error_name();
      const std::string dialled = dial("203.0.113.5", 443);
      return dialled + (readable(server.get(), 0) ? ", stolen" : ", not stolen");
    });
    EXPECT_EQ(result, "connected, not stolen") << bound;
    EXPECT_EQ(arrived_for(room.tcp_listener), "203.0.113.5 443") << bound;
  }
}

TEST_F(InARoom, NobodyBindsBesideWeirsListeners) {
  for (const std::string ip : {"127.0.0.1", "0.0.0.0", "203.0.113.5", "::1", "::"}) {
    for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
      const std::uint16_t port = type == SOCK_STREAM ? kTcpPort : kDnsPort;
      EXPECT_EQ(in_room(room,
                        [&]() -> std::string {
                          const Endpoint at = endpoint(ip, port);
                          const UniqueFd fd(socket(at.family(), type, 0));
                          const int one = 1;
                          setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
                          setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
                          if (bind(fd.get(), at.get(), at.size) != 0) return error_name();
                          return type == SOCK_STREAM && listen(fd.get(), 1) != 0 ? error_name() : "bound";
                        }),
                "EADDRINUSE")
          << ip << " " << port;
    }
  }
}

TEST_F(InARoom, DiallingTheListenerItselfGivesItsOwnAddress) {
  for (const std::string& ip : {std::string("127.0.0.1"), std::string("127.9.9.9"), std::string("::1"), kOwn4, kOwn6}) {
    Child client(entering(room, [&] { return dial(ip, kTcpPort); }));
    EXPECT_EQ(arrived_for(room.tcp_listener), ip + " " + std::to_string(kTcpPort));
  }
}

TEST_F(InARoom, ReversePathFilteringDoesNotGetInTheWay) {
  const std::string result = in_room(room, [&]() -> std::string {
    for (const char* path : {"/proc/sys/net/ipv4/conf/all/rp_filter", "/proc/sys/net/ipv4/conf/lo/rp_filter"})
      if (!write_text(path, "1")) return "skip";
    return dial("203.0.113.5", 443);
  });
  if (result == "skip") GTEST_SKIP() << "/proc/sys cannot be written here";
  EXPECT_EQ(result, "connected");
}

TEST_F(InARoom, ServersInsideOnLoopbackAndOwnAddressesWork) {
  for (const std::string& ip : {std::string("127.0.0.1"), std::string("127.0.0.53"), std::string("::1"), kOwn4, kOwn6}) {
    for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
      EXPECT_EQ(
          in_room(room,
                  [&]() -> std::string {
                    const Endpoint at = endpoint(ip, 3000);
                    const UniqueFd server(socket(at.family(), type, 0));
                    if (bind(server.get(), at.get(), at.size) != 0) return "bind: " + error_name();
                    if (type == SOCK_STREAM && listen(server.get(), 1) != 0) return "listen: " + error_name();
                    const UniqueFd client(socket(at.family(), type, 0));
                    if (connect(client.get(), at.get(), at.size) != 0) return "connect: " + error_name();
                    if (send(client.get(), "hello", 5, 0) != 5) return "send: " + error_name();
                    UniqueFd accepted(type == SOCK_STREAM ? accept(server.get(), nullptr, nullptr) : dup(server.get()));
                    Endpoint peer;
                    peer.size = sizeof peer.address;
                    char text[8] = {};
                    if (recvfrom(accepted.get(), text, sizeof text, 0, peer.get(), &peer.size) != 5)
                      return "recv: " + error_name();
                    const auto* back = type == SOCK_DGRAM ? peer.get() : nullptr;
                    if (sendto(accepted.get(), "world", 5, 0, back, back != nullptr ? peer.size : 0) != 5)
                      return "reply: " + error_name();
                    return recv(client.get(), text, sizeof text, 0) == 5 ? std::string(text, 5) : error_name();
                  }),
          "world")
          << ip << (type == SOCK_STREAM ? " tcp" : " udp");
    }
  }
  EXPECT_TRUE(drops().empty());
  EXPECT_FALSE(readable(room.tcp_listener.get(), 0));
}

TEST_F(InARoom, ClosedPortsOnLoopbackRefuse) {
  EXPECT_EQ(in_room(room, [] { return dial("127.0.0.1", 3000) + " " + dial("::1", 3000); }), "ECONNREFUSED ECONNREFUSED");
}

TEST_F(InARoom, ResolversSeeAHostWithBothAddressFamilies) {
  EXPECT_EQ(in_room(room,
                    []() -> std::string {
                      std::string families;
                      for (const int family : {AF_INET, AF_INET6}) {
                        addrinfo hints{};
                        hints.ai_family = family;
                        hints.ai_socktype = SOCK_STREAM;
                        hints.ai_flags = AI_ADDRCONFIG;
                        addrinfo* list = nullptr;
                        const int error =
                            getaddrinfo(family == AF_INET ? "203.0.113.5" : "2001:db8::5", "443", &hints, &list);
                        families += error == 0 ? "found " : gai_strerror(error);
                        if (error == 0) freeaddrinfo(list);
                      }
                      return families;
                    }),
            "found found ");
}

}  // namespace
}  // namespace weir::netns
