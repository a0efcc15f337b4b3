// A tiny answerer on the room's DNS socket: answers must come from the server that was asked.
#include "netns/dns_socket.h"

#include <array>

#include "tests/netns/room_probe.h"

namespace weir::netns {
namespace {

// Answers `count` datagrams with "re: " and what they said.
void answer(const UniqueFd& dns_udp, int count) {
  std::array<char, 512> buffer;
  for (int i = 0; i < count; ++i) {
    ASSERT_TRUE(readable(dns_udp.get()));
    const auto datagram = receive_datagram(dns_udp.get(), buffer);
    ASSERT_TRUE(datagram.has_value()) << datagram.error().message;
    const auto sent = reply_datagram(dns_udp.get(), "re: " + std::string(datagram->bytes), datagram->path);
    ASSERT_TRUE(sent.has_value()) << sent.error().message;
  }
}

// Asks from a connected socket, which takes answers from the asked address alone.
std::string ask(const std::string& ip) {
  const Endpoint to = endpoint(ip, 53);
  const UniqueFd fd(socket(to.family(), SOCK_DGRAM, 0));
  if (connect(fd.get(), to.get(), to.size) != 0) return "connect: " + error_name();
  if (send(fd.get(), ip.data(), ip.size(), 0) < 0) return "send: " + error_name();
  if (!readable(fd.get())) return "no answer";
  char text[128];
  const ssize_t got = recv(fd.get(), text, sizeof text, 0);
  return got < 0 ? "recv: " + error_name() : std::string(text, static_cast<std::size_t>(got));
}

TEST_F(InARoom, DnsAnswersComeFromTheServerThatWasAsked) {
  for (const std::string ip : {"8.8.8.8", "192.168.1.1", "169.254.169.253", "2001:4860:4860::8888", "fd00::53", "fe80::1",
                               "127.0.0.1", "127.0.0.53", "::1", "::ffff:1.1.1.1"}) {
    Child client(entering(room, [&] { return ask(ip); }));
    answer(room.dns_udp, 1);
    EXPECT_EQ(client.result(), "re: " + ip);
  }
  EXPECT_TRUE(drops().empty());
}

TEST_F(InARoom, OneSocketThatAsksTwoServersGetsEachAnswerFromItsOwn) {
  for (const std::array<std::string, 2>& servers :
       {std::array<std::string, 2>{"8.8.8.8", "1.1.1.1"}, {"2001:db8::1", "2001:db8::2"}}) {
    Child client(entering(room, [&]() -> std::string {
      const UniqueFd fd(socket(endpoint(servers[0], 53).family(), SOCK_DGRAM, 0));
      for (const std::string& server : servers) {
        const Endpoint to = endpoint(server, 53);
        if (sendto(fd.get(), server.data(), server.size(), 0, to.get(), to.size) < 0) return "send: " + error_name();
      }
      for (int i = 0; i < 2; ++i) {
        if (!readable(fd.get())) return "no answer";
        char text[128];
        Endpoint from;
        from.size = sizeof from.address;
        const ssize_t got = recvfrom(fd.get(), text, sizeof text, 0, from.get(), &from.size);
        if (got < 0) return "recv: " + error_name();
        const std::string said(text, static_cast<std::size_t>(got));
        if ("re: " + text_of(from.address) != said + " 53") return said + " from " + text_of(from.address);
      }
      return "right";
    }));
    answer(room.dns_udp, 2);
    EXPECT_EQ(client.result(), "right");
  }
}

TEST_F(InARoom, ReceivingFromAnEmptyDnsSocketWouldBlock) {
  std::array<char, 64> buffer;
  EXPECT_EQ(receive_datagram(room.dns_udp.get(), buffer).error().code, "would_block");
}

TEST_F(InARoom, ADatagramLargerThanTheBufferIsRefusedAndGone) {
  in_room(room, [] { return send_udp("8.8.8.8", 53); });
  Child client(entering(room, [&]() -> std::string {
    const Endpoint to = endpoint("8.8.8.8", 53);
    const UniqueFd fd(socket(AF_INET, SOCK_DGRAM, 0));
    const std::string large(60000, 'x');
    return sendto(fd.get(), large.data(), large.size(), 0, to.get(), to.size) < 0 ? error_name() : "sent";
  }));
  EXPECT_EQ(client.result(), "sent");
  std::array<char, 64> buffer;
  EXPECT_TRUE(receive_datagram(room.dns_udp.get(), buffer).has_value());
  EXPECT_EQ(receive_datagram(room.dns_udp.get(), buffer).error().code, "datagram_truncated");
  EXPECT_EQ(receive_datagram(room.dns_udp.get(), buffer).error().code, "would_block");
}

TEST_F(InARoom, AnAnswerToAPeerThatIsGoneIsNoError) {
  in_room(room, [] { return send_udp("2001:db8::1", 53); });
  answer(room.dns_udp, 1);
  in_room(room, [] { return send_udp("8.8.8.8", 53); });
  answer(room.dns_udp, 1);
}

}  // namespace
}  // namespace weir::netns
