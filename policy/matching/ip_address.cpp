#include "policy/matching/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace weir::policy {

namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool is_mapped(const IpAddress& address) {
  return !address.v4 && std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), address.bytes.begin());
}

IpAddress unmapped(const IpAddress& address) {
  IpAddress v4{.v4 = true};
  std::copy_n(address.bytes.begin() + 12, 4, v4.bytes.begin());
  return v4;
}

// As written: without the unmapping, which a network's prefix length needs to know about.
std::optional<IpAddress> parse_literally(std::string_view text) {
  char buffer[INET6_ADDRSTRLEN + 1] = {};
  if (text.empty() || text.size() >= sizeof buffer || text.find('\0') != std::string_view::npos) return std::nullopt;
  std::copy(text.begin(), text.end(), buffer);
  IpAddress address;
  if (text.find(':') == std::string_view::npos) {
    address.v4 = true;
    // inet_pton refuses the short, octal and hexadecimal forms that inet_aton takes (inet_pton(3)).
    if (inet_pton(AF_INET, buffer, address.bytes.data()) != 1) return std::nullopt;
  } else if (inet_pton(AF_INET6, buffer, address.bytes.data()) != 1) {
    return std::nullopt;
  }
  return address;
}

}  // namespace

std::optional<IpAddress> parse_ip(std::string_view text) {
  const auto address = parse_literally(text);
  return address && is_mapped(*address) ? unmapped(*address) : address;
}

std::string to_text(const IpAddress& address) {
  char buffer[INET6_ADDRSTRLEN] = {};
  inet_ntop(address.v4 ? AF_INET : AF_INET6, address.bytes.data(), buffer, sizeof buffer);
  return buffer;
}

std::optional<IpNetwork> parse_network(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = parse_literally(text.substr(0, slash));
  if (!address) return std::nullopt;
  IpNetwork network{*address, address->bits()};
  if (slash != std::string_view::npos) {
    const auto digits = text.substr(slash + 1);
    if (digits.empty() || digits.size() > 3 || (digits.size() > 1 && digits[0] == '0')) return std::nullopt;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), network.prefix);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    if (network.prefix < 0 || network.prefix > address->bits()) return std::nullopt;
  }
  if (is_mapped(network.address)) {
    if (network.prefix < 96) return std::nullopt;  // would be half an IPv4 network and half something else
    network = {unmapped(network.address), network.prefix - 96};
  }
  return network;
}

std::string to_text(const IpNetwork& network) { return to_text(network.address) + "/" + std::to_string(network.prefix); }

bool contains(const IpNetwork& network, const IpAddress& address) {
  if (network.address.v4 != address.v4) return false;
  const auto whole = static_cast<std::size_t>(network.prefix / 8);
  if (!std::equal(address.bytes.begin(), address.bytes.begin() + static_cast<std::ptrdiff_t>(whole),
                  network.address.bytes.begin()))
    return false;
  const int rest = network.prefix % 8;
  if (rest == 0) return true;
  const unsigned mask = 0xffU << (8 - rest) & 0xffU;
  return (address.bytes[whole] & mask) == (network.address.bytes[whole] & mask);
}

IpNetwork without_host_bits(IpNetwork network) {
  for (int bit = network.prefix; bit < network.address.bits(); ++bit) {
    auto& byte = network.address.bytes[static_cast<std::size_t>(bit / 8)];
    byte = static_cast<std::uint8_t>(byte & ~(0x80U >> (bit % 8)));
  }
  return network;
}

}  // namespace weir::policy
