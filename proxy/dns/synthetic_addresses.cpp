#include "proxy/dns/synthetic_addresses.h"

#include <arpa/inet.h>

#include <cstring>

#include "base/encoding.h"

namespace weir::proxy {
namespace {

constexpr std::uint32_t kV4Network = 0xC6120000;  // 198.18.0.0/15
constexpr std::uint32_t kV4Mask = 0xFFFE0000;
// The first addresses are left free for weir's own use (a gateway, a resolver) and for readers' habits (.0, .1).
constexpr std::uint32_t kFirst = 256;

}  // namespace

SyntheticAddresses::SyntheticAddresses() {
  // RFC 4193 §3.1: fd00::/8, 40 random bits; then a random subnet, so that the /64 says nothing about the machine.
  const std::string random = random_bytes(7);
  prefix_.s6_addr[0] = 0xfd;
  std::memcpy(prefix_.s6_addr + 1, random.data(), random.size());
}

std::optional<std::uint32_t> SyntheticAddresses::index_of(std::string_view canonical_host) {
  if (const auto known = indices_.find(canonical_host); known != indices_.end()) return known->second;
  if (names_.size() >= kMaxNames) return std::nullopt;
  const auto index = static_cast<std::uint32_t>(names_.size());
  const auto [made, _] = indices_.emplace(canonical_host, index);
  names_.emplace_back(made->first);
  return index;
}

in_addr SyntheticAddresses::v4(std::uint32_t index) const { return {.s_addr = htonl(kV4Network + kFirst + index)}; }

in6_addr SyntheticAddresses::v6(std::uint32_t index) const {
  in6_addr address = prefix_;
  const std::uint32_t suffix = htonl(kFirst + index);
  std::memcpy(address.s6_addr + 12, &suffix, sizeof suffix);
  return address;
}

std::optional<std::string_view> SyntheticAddresses::name_of(in_addr address) const {
  if (!in_range(address)) return std::nullopt;
  const std::uint32_t offset = ntohl(address.s_addr) - kV4Network;
  if (offset < kFirst || offset - kFirst >= names_.size()) return std::nullopt;
  return names_[offset - kFirst];
}

std::optional<std::string_view> SyntheticAddresses::name_of(const in6_addr& address) const {
  if (!in_range(address)) return std::nullopt;
  static constexpr std::uint8_t kZero[4] = {};
  if (std::memcmp(address.s6_addr + 8, kZero, sizeof kZero) != 0) return std::nullopt;
  std::uint32_t suffix = 0;
  std::memcpy(&suffix, address.s6_addr + 12, sizeof suffix);
  const std::uint32_t offset = ntohl(suffix);
  if (offset < kFirst || offset - kFirst >= names_.size()) return std::nullopt;
  return names_[offset - kFirst];
}

bool SyntheticAddresses::in_range(in_addr address) const { return (ntohl(address.s_addr) & kV4Mask) == kV4Network; }

bool SyntheticAddresses::in_range(const in6_addr& address) const {
  return std::memcmp(address.s6_addr, prefix_.s6_addr, 8) == 0;
}

}  // namespace weir::proxy
