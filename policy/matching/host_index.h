// Host patterns by hash: a look-up costs one hash for the name and one for each of its suffixes that could be there,
// however many patterns there are. Building allocates, looking up does not.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "policy/canonical.h"
#include "policy/document.h"

namespace weir::policy {

class HostIndex {
 public:
  struct Entry {
    std::uint32_t owner = 0;  // index of the rule or credential
    std::uint16_t port = 0;   // of a host:port pattern, else 0
  };

  // `any_takes_addresses`: whether `*` stands for IP literals too. It is "every name", so only a denial goes that far.
  void add(const HostPattern& pattern, std::uint32_t owner, bool any_takes_addresses);

  // Calls visit(Entry) for each pattern that matches the canonical host.
  template <class Visit>
  void visit(std::string_view host, Visit&& visit_entry) const {
    const auto each = [&](const std::vector<Entry>& entries) {
      for (const Entry& entry : entries) visit_entry(entry);
    };
    if (const auto found = exact_.find(host); found != exact_.end()) each(found->second);
    if (is_ip_literal(host)) return each(any_address_);
    each(any_name_);
    if (below_.empty()) return;
    for (auto dot = host.find('.'); dot != std::string_view::npos; dot = host.find('.', dot + 1)) {
      const auto suffix = host.substr(dot + 1);
      if (suffix.size() > kMaxName || !below_lengths_[suffix.size()]) continue;
      if (const auto found = below_.find(suffix); found != below_.end()) each(found->second);
    }
  }

 private:
  static constexpr std::size_t kMaxName = 253;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  using ByName = std::unordered_map<std::string, std::vector<Entry>, Hash, std::equal_to<>>;

  ByName exact_;
  ByName below_;
  std::bitset<kMaxName + 1> below_lengths_;  // so that a name of a hundred labels does not cost a hundred hashes
  std::vector<Entry> any_name_;
  std::vector<Entry> any_address_;
};

// One pattern against one canonical host, ports aside: for explanations, where the index would not say what failed.
bool matches_host(const HostPattern& pattern, std::string_view host, bool any_takes_addresses);

}  // namespace weir::policy
