// Addresses that no sandbox may reach unless a rule names them. SECURITY: G5, the host's own network stays closed.
#include <algorithm>
#include <vector>

#include "policy/matching/ip_address.h"
#include "policy/policy.h"

namespace weir::policy {

namespace {

std::vector<IpNetwork> networks(std::initializer_list<const char*> texts) {
  std::vector<IpNetwork> result;
  for (const char* text : texts) result.push_back(parse_network(text).value());
  return result;
}

// IANA IPv4 Special-Purpose Address Registry, less the anycast blocks that are reachable for everybody.
const std::vector<IpNetwork>& special_v4() {
  static const auto list = networks({
      "0.0.0.0/8",         // this network, RFC 791; on Linux 0.0.0.0 is the host itself
      "10.0.0.0/8",        // RFC 1918
      "100.64.0.0/10",     // shared, RFC 6598; some clouds keep their metadata service here
      "127.0.0.0/8",       // loopback
      "168.63.129.16/32",  // a cloud's host agent behind a public-looking address: the same danger as 169.254.169.254
      "169.254.0.0/16",    // link-local, RFC 3927; metadata services
      "172.16.0.0/12",     // RFC 1918
      "192.0.0.0/24",      // IETF protocol assignments, RFC 6890
      "192.0.2.0/24",      // documentation, RFC 5737
      "192.88.99.0/24",    // 6to4 relay, RFC 7526
      "192.168.0.0/16",    // RFC 1918
      "198.18.0.0/15",     // benchmarking, RFC 2544; weir's synthetic addresses
      "198.51.100.0/24",   // documentation
      "203.0.113.0/24",    // documentation
      "224.0.0.0/4",       // multicast
      "240.0.0.0/4",       // reserved, and broadcast
  });
  return list;
}

// Within 2000::/3 only: everything outside it is special anyway (RFC 4291 §2.4; only 2000::/3 is delegated).
const std::vector<IpNetwork>& special_v6() {
  static const auto list = networks({
      "2001::/23",      // IETF protocol assignments, Teredo (2001::/32), benchmarking, ORCHID
      "2001:db8::/32",  // documentation, RFC 3849
      "3fff::/20",      // documentation, RFC 9637
  });
  return list;
}

IpAddress embedded_v4(const IpAddress& address, std::size_t offset) {
  IpAddress v4{.v4 = true};
  std::copy_n(address.bytes.begin() + static_cast<std::ptrdiff_t>(offset), 4, v4.bytes.begin());
  return v4;
}

bool is_special(const IpAddress& address) {
  static const auto nat64 = parse_network("64:ff9b::/96").value();     // RFC 6052
  static const auto six_to_four = parse_network("2002::/16").value();  // RFC 3056
  static const auto global = parse_network("2000::/3").value();
  const auto in = [&](const IpNetwork& network) { return contains(network, address); };
  if (address.v4) return std::ranges::any_of(special_v4(), in);
  if (in(nat64)) return is_special(embedded_v4(address, 12));
  if (!in(global)) return true;
  if (in(six_to_four)) return is_special(embedded_v4(address, 2));
  return std::ranges::any_of(special_v6(), in);
}

}  // namespace

bool is_special_purpose_address(std::string_view text) {
  const auto address = parse_ip(text);
  return !address || is_special(*address);  // SECURITY: G4, what cannot be read is not let through
}

bool address_in(std::string_view text, std::string_view cidr) {
  const auto address = parse_ip(text);
  const auto network = parse_network(cidr);
  return address && network && contains(*network, *address);
}

}  // namespace weir::policy
