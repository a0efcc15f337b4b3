// Names and the addresses that stand for them in one sandbox: 198.18.0.0/15 (RFC 2544) and a ULA /64 derived at
// random per sandbox (RFC 4193). A pure table; single-threaded.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace weir::proxy {

class SyntheticAddresses {
 public:
  SyntheticAddresses();
  // The index for a canonical host name, made at first use; nullopt when the table is full (65,536 names: a flood of
  // names from a sandbox under `default: log` must not grow memory without end).
  std::optional<std::uint32_t> index_of(std::string_view canonical_host);
  in_addr v4(std::uint32_t index) const;
  in6_addr v6(std::uint32_t index) const;
  // The name behind an address that was dialled; nullopt: not one of ours.
  std::optional<std::string_view> name_of(in_addr address) const;
  std::optional<std::string_view> name_of(const in6_addr& address) const;
  bool in_range(in_addr address) const;           // synthetic range, whether given out or not
  bool in_range(const in6_addr& address) const;

 private:
  std::vector<std::string> names_;
  std::unordered_map<std::string, std::uint32_t> indices_;
  in6_addr prefix_{};
};

}  // namespace weir::proxy
