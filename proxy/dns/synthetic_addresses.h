// Names and the addresses that stand for them in one sandbox: 198.18.0.0/15 (RFC 2544) and a ULA /64 derived at
// random per sandbox (RFC 4193). A pure table; single-threaded. A name keeps its index for the table's life, so the
// views that name_of() gives stay good as long as the table.
#pragma once

#include <netinet/in.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace weir::proxy {

class SyntheticAddresses {
 public:
  SyntheticAddresses();
  SyntheticAddresses(SyntheticAddresses&&) noexcept = default;
  SyntheticAddresses& operator=(SyntheticAddresses&&) noexcept = default;
  SyntheticAddresses(const SyntheticAddresses&) = delete;
  SyntheticAddresses& operator=(const SyntheticAddresses&) = delete;

  static constexpr std::size_t kMaxNames = 65'536;

  // The index for a canonical host name, made at first use; nullopt when the table is full (65,536 names: a flood of
  // names from a sandbox under `default: log` must not grow memory without end). Names that have one keep it.
  std::optional<std::uint32_t> index_of(std::string_view canonical_host);
  in_addr v4(std::uint32_t index) const;
  in6_addr v6(std::uint32_t index) const;
  // The name behind an address that was dialled; nullopt: not one of ours.
  std::optional<std::string_view> name_of(in_addr address) const;
  std::optional<std::string_view> name_of(const in6_addr& address) const;
  bool in_range(in_addr address) const;  // synthetic range, whether given out or not
  bool in_range(const in6_addr& address) const;
  std::size_t size() const { return names_.size(); }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> indices_;
  std::vector<std::string_view> names_;  // by index; each views its key in indices_, whose nodes never move
  in6_addr prefix_{};
};

}  // namespace weir::proxy
