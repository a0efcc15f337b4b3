// An IP address and a network as numbers. An IPv4-mapped IPv6 address is the IPv4 address: they are the same
// destination to the kernel, so they must be the same to policy. SECURITY: G7.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::policy {

struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};  // network order; IPv4 uses the first four
  bool v4 = false;
  int bits() const { return v4 ? 32 : 128; }
  bool operator==(const IpAddress&) const = default;
};

struct IpNetwork {
  IpAddress address;
  int prefix = 0;
  bool operator==(const IpNetwork&) const = default;
};

// Strict: dotted quad without leading zeros, or RFC 4291 §2.2 text without brackets and zone.
std::optional<IpAddress> parse_ip(std::string_view text);
std::string to_text(const IpAddress& address);  // dotted quad, or RFC 5952

// "10.0.0.0/8"; a bare address is the network of it alone. Bits beyond the prefix are kept as written.
std::optional<IpNetwork> parse_network(std::string_view text);
std::string to_text(const IpNetwork& network);

bool contains(const IpNetwork& network, const IpAddress& address);
IpNetwork without_host_bits(IpNetwork network);

}  // namespace weir::policy
