// The drop log's parser on bytes of all kinds.
#include "netns/drop_log.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>

#include <cstring>
#include <string>

namespace weir::netns {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string ipv4(std::uint8_t protocol, const std::string& rest, std::uint8_t words = 5, std::uint16_t fragment = 0) {
  std::string packet(words * std::size_t{4}, '\0');
  packet[0] = static_cast<char>(0x40 | words);
  packet[6] = static_cast<char>(fragment >> 8);
  packet[7] = static_cast<char>(fragment & 0xFF);
  packet[9] = static_cast<char>(protocol);
  inet_pton(AF_INET, "203.0.113.5", &packet[16]);
  return packet + rest;
}

std::string ipv6(std::uint8_t next, const std::string& rest) {
  std::string packet(40, '\0');
  packet[0] = 0x60;
  packet[6] = static_cast<char>(next);
  inet_pton(AF_INET6, "2001:db8::5", &packet[24]);
  return packet + rest;
}

const std::string kTo443("\x12\x34\x01\xbb\0\x09\0\0", 8);

std::string extension(std::uint8_t next, std::uint8_t eights) {
  std::string header((eights + std::size_t{1}) * 8, '\0');
  header[0] = static_cast<char>(next);
  header[1] = static_cast<char>(eights);
  return header;
}

TEST(ParseDroppedPacket, ReadsProtocolDestinationAndPort) {
  EXPECT_EQ(parse_dropped_packet(ipv4(17, kTo443)), (DroppedPacket{"udp", "203.0.113.5", 443}));
  EXPECT_EQ(parse_dropped_packet(ipv4(6, kTo443)), (DroppedPacket{"tcp", "203.0.113.5", 443}));
  EXPECT_EQ(parse_dropped_packet(ipv6(17, kTo443)), (DroppedPacket{"udp", "2001:db8::5", 443}));
  EXPECT_EQ(parse_dropped_packet(ipv4(1, kTo443)), (DroppedPacket{"icmp", "203.0.113.5", 0}));
  EXPECT_EQ(parse_dropped_packet(ipv6(58, kTo443)), (DroppedPacket{"icmpv6", "2001:db8::5", 0}));
  EXPECT_EQ(parse_dropped_packet(ipv4(132, kTo443)), (DroppedPacket{"132", "203.0.113.5", 0}));
}

TEST(ParseDroppedPacket, SkipsIpv4Options) {
  EXPECT_EQ(parse_dropped_packet(ipv4(17, kTo443, 15)), (DroppedPacket{"udp", "203.0.113.5", 443}));
}

TEST(ParseDroppedPacket, TakesNoPortFromAnImpossibleHeaderLength) {
  EXPECT_EQ(parse_dropped_packet(ipv4(17, kTo443).replace(0, 1, "\x41")), (DroppedPacket{"udp", "203.0.113.5", 0}));
  EXPECT_EQ(parse_dropped_packet(ipv4(17, kTo443).replace(0, 1, "\x4f")), (DroppedPacket{"udp", "203.0.113.5", 0}));
}

TEST(ParseDroppedPacket, TakesNoPortFromALaterFragment) {
  EXPECT_EQ(parse_dropped_packet(ipv4(17, kTo443, 5, 0x2000)),
            (DroppedPacket{"udp", "203.0.113.5", 443}));  // the first of several
  EXPECT_EQ(parse_dropped_packet(ipv4(17, kTo443, 5, 0x0001)), (DroppedPacket{"udp", "203.0.113.5", 0}));
  std::string fragment(8, '\0');
  fragment[0] = 17;
  EXPECT_EQ(parse_dropped_packet(ipv6(44, fragment + kTo443)), (DroppedPacket{"udp", "2001:db8::5", 443}));
  fragment[3] = 0x08;
  EXPECT_EQ(parse_dropped_packet(ipv6(44, fragment + kTo443)), (DroppedPacket{"udp", "2001:db8::5", 0}));
}

TEST(ParseDroppedPacket, WalksIpv6Extensions) {
  EXPECT_EQ(parse_dropped_packet(ipv6(0, extension(60, 0) + extension(43, 1) + extension(17, 2) + kTo443)),
            (DroppedPacket{"udp", "2001:db8::5", 443}));
}

TEST(ParseDroppedPacket, GivesUpOnEndlessOrOverlongExtensions) {
  std::string many;
  for (int i = 0; i < 100; ++i) many += extension(60, 0);
  EXPECT_EQ(parse_dropped_packet(ipv6(60, many + kTo443))->port, 0);
  EXPECT_EQ(parse_dropped_packet(ipv6(60, extension(17, 255).substr(0, 16)))->port, 0);
}

TEST(ParseDroppedPacket, EveryCutIsHarmless) {
  for (const std::string& packet : {ipv4(17, kTo443, 15), ipv6(0, extension(60, 1) + extension(17, 2) + kTo443)}) {
    for (std::size_t size = 0; size <= packet.size(); ++size) {
      const std::string cut(packet.data(), size);
      const auto parsed = parse_dropped_packet(cut);
      EXPECT_EQ(parsed.has_value(), size >= (packet[0] == 0x60 ? 40U : 20U));
    }
  }
}

TEST(ParseDroppedPacket, RefusesWhatIsNotIp) {
  EXPECT_EQ(parse_dropped_packet(""), std::nullopt);
  EXPECT_EQ(parse_dropped_packet(std::string(64, '\x50')), std::nullopt);
  EXPECT_EQ(parse_dropped_packet(std::string(64, '\0')), std::nullopt);
}

std::string attribute(std::uint16_t type, const std::string& value) {
  const nlattr header{.nla_len = static_cast<std::uint16_t>(sizeof header + value.size()), .nla_type = type};
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  bytes += value;
  bytes.resize(NLA_ALIGN(bytes.size()));
  return bytes;
}

std::string message(const std::string& attributes, std::uint16_t type = (NFNL_SUBSYS_ULOG << 8) | NFULNL_MSG_PACKET) {
  nlmsghdr header{};
  header.nlmsg_len = static_cast<std::uint32_t>(sizeof header + sizeof(nfgenmsg) + attributes.size());
  header.nlmsg_type = type;
  return std::string(reinterpret_cast<const char*>(&header), sizeof header) + std::string(sizeof(nfgenmsg), '\0') +
         attributes;
}

std::vector<DroppedPacket> parse(const std::string& datagram) {
  std::vector<LoggedPacket> logged;
  parse_drop_messages(datagram, logged);
  std::vector<DroppedPacket> packets;
  for (const LoggedPacket& each : logged) packets.push_back(each.packet);
  return packets;
}

TEST(ParseDropMessages, ReadsEachMessageOfADatagram) {
  const std::string one = message(attribute(NFULA_PREFIX, "x") + attribute(NFULA_PAYLOAD, ipv4(17, kTo443)));
  const std::string two = message(attribute(NFULA_PAYLOAD, ipv6(58, "")));
  EXPECT_THAT(parse(one + two),
              ElementsAre(DroppedPacket{"udp", "203.0.113.5", 443}, DroppedPacket{"icmpv6", "2001:db8::5", 0}));
}

TEST(ParseDropMessages, ReadsTheSequenceNumber) {
  std::vector<LoggedPacket> logged;
  parse_drop_messages(message(attribute(NFULA_SEQ, std::string("\0\0\1\2", 4)) + attribute(NFULA_PAYLOAD, ipv4(17, kTo443))),
                      logged);
  ASSERT_EQ(logged.size(), 1U);
  EXPECT_EQ(logged[0].sequence, 258U);
}

TEST(ParseDropMessages, CountsAPacketThatItCannotRead) {
  EXPECT_THAT(parse(message("")), ElementsAre(DroppedPacket{"unknown", "", 0}));
  EXPECT_THAT(parse(message(attribute(NFULA_PAYLOAD, "?"))), ElementsAre(DroppedPacket{"unknown", "", 0}));
}

TEST(ParseDropMessages, PassesOverOtherMessages) {
  EXPECT_THAT(parse(message("", NLMSG_ERROR) + message("", NLMSG_DONE)), IsEmpty());
}

TEST(ParseDropMessages, StopsAtImpossibleLengths) {
  for (const std::uint32_t length : {0U, 1U, 15U, 0x7FFFFFFFU, 0xFFFFFFFFU}) {
    std::string bytes = message(attribute(NFULA_PAYLOAD, ipv4(17, kTo443)));
    std::memcpy(bytes.data(), &length, sizeof length);
    EXPECT_THAT(parse(bytes), IsEmpty()) << length;
  }
  for (const std::uint16_t length : {std::uint16_t{0}, std::uint16_t{3}, std::uint16_t{0xFFFF}}) {
    std::string bytes = message(attribute(NFULA_PAYLOAD, ipv4(17, kTo443)));
    std::memcpy(bytes.data() + sizeof(nlmsghdr) + sizeof(nfgenmsg), &length, sizeof length);
    EXPECT_THAT(parse(bytes), ElementsAre(DroppedPacket{"unknown", "", 0})) << length;
  }
}

TEST(ParseDropMessages, EveryCutIsHarmless) {
  const std::string bytes = message(attribute(NFULA_SEQ, "1234") + attribute(NFULA_PAYLOAD, ipv4(17, kTo443)));
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_THAT(parse(std::string(bytes.data(), size)), IsEmpty());
}

}  // namespace
}  // namespace weir::netns
