#include "netns/drop_log.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>

namespace weir::netns {
namespace {

constexpr std::size_t kIpv4Header = 20;  // RFC 791 §3.1, without options
constexpr std::size_t kIpv6Header = 40;  // RFC 8200 §3
constexpr int kMaxExtensions = 8;        // of IPv6; more is an odd packet, reported by the number where we stopped
constexpr int kMaxDatagrams = 4096;      // in one call, so that a flood cannot keep the reader for ever

std::uint8_t byte_at(std::string_view bytes, std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); }
std::uint16_t be16_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}

std::string address_text(int family, std::string_view bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(family, bytes.data(), text.data(), text.size());
  return text.data();
}

std::string protocol_name(std::uint8_t protocol) {
  switch (protocol) {
    case IPPROTO_UDP:
      return "udp";
    case IPPROTO_TCP:
      return "tcp";
    case IPPROTO_ICMP:
      return "icmp";
    case IPPROTO_ICMPV6:
      return "icmpv6";
    default:
      return std::to_string(protocol);
  }
}

// `rest` begins at the transport header, or is empty when the packet was cut before it.
DroppedPacket described(std::uint8_t protocol, std::string destination, std::string_view rest) {
  DroppedPacket packet{.protocol = protocol_name(protocol), .destination = std::move(destination)};
  if ((protocol == IPPROTO_UDP || protocol == IPPROTO_TCP) && rest.size() >= 4) packet.port = be16_at(rest, 2);
  return packet;
}

std::string_view from(std::string_view bytes, std::size_t at) {
  return at < bytes.size() ? bytes.substr(at) : std::string_view();
}

std::optional<DroppedPacket> parse_ipv4(std::string_view packet) {
  if (packet.size() < kIpv4Header) return std::nullopt;
  const std::size_t header = (byte_at(packet, 0) & 0x0FU) * std::size_t{4};
  const bool first_fragment = (be16_at(packet, 6) & 0x1FFFU) == 0;
  const std::string_view rest = header >= kIpv4Header && first_fragment ? from(packet, header) : std::string_view();
  return described(byte_at(packet, 9), address_text(AF_INET, packet.substr(16, 4)), rest);
}

std::optional<DroppedPacket> parse_ipv6(std::string_view packet) {
  if (packet.size() < kIpv6Header) return std::nullopt;
  std::uint8_t next = byte_at(packet, 6);
  std::string destination = address_text(AF_INET6, packet.substr(24, 16));
  std::string_view rest = packet.substr(kIpv6Header);
  for (int i = 0; i < kMaxExtensions && rest.size() >= 8; ++i) {
    if (next == IPPROTO_FRAGMENT) {  // RFC 8200 §4.5
      const bool first_fragment = (be16_at(rest, 2) & 0xFFF8U) == 0;
      next = byte_at(rest, 0);
      rest = rest.substr(8);
      if (!first_fragment) {
        rest = {};
        break;
      }
    } else if (next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS) {  // RFC 8200 §4.3 to 4.6
      const std::size_t size = (byte_at(rest, 1) + std::size_t{1}) * 8;
      next = byte_at(rest, 0);
      rest = from(rest, size);
    } else {
      break;
    }
  }
  return described(next, std::move(destination), rest);
}

void parse_message(std::string_view body, std::vector<LoggedPacket>& out) {
  body = from(body, NLMSG_ALIGN(sizeof(nfgenmsg)));
  std::string_view payload;
  std::optional<std::uint32_t> sequence;
  while (body.size() >= NLA_HDRLEN) {
    nlattr attribute;
    std::memcpy(&attribute, body.data(), sizeof attribute);
    if (attribute.nla_len < NLA_HDRLEN || attribute.nla_len > body.size()) break;
    const std::string_view value = body.substr(NLA_HDRLEN, attribute.nla_len - std::size_t{NLA_HDRLEN});
    const int type = attribute.nla_type & NLA_TYPE_MASK;
    if (type == NFULA_PAYLOAD) payload = value;
    if (type == NFULA_SEQ && value.size() == sizeof(std::uint32_t)) {
      std::uint32_t wire = 0;
      std::memcpy(&wire, value.data(), sizeof wire);
      sequence = ntohl(wire);
    }
    body = from(body, NLA_ALIGN(attribute.nla_len));
  }
  if (auto packet = parse_dropped_packet(payload)) {
    out.push_back({std::move(*packet), sequence});
  } else {
    out.push_back(
        {{.protocol = "unknown", .destination = ""}, sequence});  // SECURITY: G3, still one packet that was refused
  }
}

void count_gap(std::uint32_t sequence, std::uint64_t& lost, DropLogPosition& position) {
  if (position.next) {
    const std::uint32_t gap = sequence - *position.next;
    const std::uint32_t known = std::min(gap, position.counted_ahead);  // the overrun is told before the gap is reached
    lost += gap - known;
    position.counted_ahead -= known;
  }
  position.next = sequence + 1;
}

}  // namespace

std::optional<DroppedPacket> parse_dropped_packet(std::string_view packet) {
  if (packet.empty()) return std::nullopt;
  switch (byte_at(packet, 0) >> 4) {
    case 4:
      return parse_ipv4(packet);
    case 6:
      return parse_ipv6(packet);
    default:
      return std::nullopt;
  }
}

void parse_drop_messages(std::string_view datagram, std::vector<LoggedPacket>& out) {
  while (datagram.size() >= sizeof(nlmsghdr)) {
    nlmsghdr header;
    std::memcpy(&header, datagram.data(), sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > datagram.size()) return;
    if (header.nlmsg_type == ((NFNL_SUBSYS_ULOG << 8) | NFULNL_MSG_PACKET))
      parse_message(datagram.substr(sizeof header, header.nlmsg_len - sizeof header), out);
    datagram = from(datagram, NLMSG_ALIGN(std::size_t{header.nlmsg_len}));
  }
}

void read_drop_log(int drop_log, std::vector<DroppedPacket>& out, std::uint64_t& lost, DropLogPosition& position) {
  std::array<char, 16384> buffer;
  std::vector<LoggedPacket> packets;
  for (int i = 0; i < kMaxDatagrams; ++i) {
    sockaddr_nl sender{};
    iovec part{buffer.data(), buffer.size()};
    msghdr message{};
    message.msg_name = &sender;
    message.msg_namelen = sizeof sender;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    const ssize_t got = recvmsg(drop_log, &message, MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == ENOBUFS) {  // the queue was full; how many were lost shows in the next message's number
      if (position.counted_ahead == 0) {
        position.counted_ahead = 1;
        ++lost;
      }
      continue;
    }
    if (got <= 0) break;
    if (sender.nl_pid != 0) continue;  // only the kernel's word counts
    packets.clear();
    parse_drop_messages({buffer.data(), static_cast<std::size_t>(got)}, packets);
    for (LoggedPacket& logged : packets) {
      if (logged.sequence) count_gap(*logged.sequence, lost, position);
      out.push_back(std::move(logged.packet));
    }
  }
}

void read_drop_log(int drop_log, std::vector<DroppedPacket>& out, std::uint64_t& lost) {
  DropLogPosition position;
  read_drop_log(drop_log, out, lost, position);
}

}  // namespace weir::netns
