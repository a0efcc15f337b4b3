// How patterns lie to each other: for conflicts between credentials and for warnings about rules without effect.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "policy/document.h"

namespace weir::policy {

// The ports that a pattern stands for: its own, else the rule's, else 443 and 80. Sorted, without repeats.
std::vector<std::uint16_t> ports_of(const HostPattern& pattern, std::span<const std::uint16_t> rule_ports = {});

// `any_is_all`: whether a `*` is IP addresses too.
bool names_overlap(const HostPattern& a, const HostPattern& b, bool any_is_all = false);  // some host matches both
bool name_covers(const HostPattern& wide, const HostPattern& narrow,
                 bool any_is_all = false);                         // every host of `narrow` matches
bool path_covers(std::string_view wide, std::string_view narrow);  // globs; true only when sure
bool text_covers(std::string_view wide, std::string_view narrow);  // the same for globs on values

// Whether every request that `narrow` matches is matched by `wide` too. False when in doubt.
bool rule_covers(const Rule& wide, const Rule& narrow);

// A set of places: hosts and ports.
struct Destinations {
  std::span<const HostPattern> hosts;
  std::span<const std::uint16_t> ports;  // of the rule; empty: 443 and 80
  bool any_is_all = false;               // `*` is IP addresses too, as in a rule that denies
};
Destinations destinations_of(const Rule& rule);

bool overlap(const Destinations& a, const Destinations& b);         // some host and port belongs to both
bool covers(const Destinations& wide, const Destinations& narrow);  // each host and port of `narrow` is in `wide`

// Many of them, each with a number, to find one that overlaps without going through all. Keeps no reference to what is
// added.
class DestinationSet {
 public:
  void add(const Destinations& destinations, std::size_t number);
  std::optional<std::size_t> overlapping(const Destinations& destinations) const;  // the number of one such
  bool empty() const { return entries_.empty(); }

 private:
  struct Entry {
    HostPattern pattern;
    std::vector<std::uint16_t> ports;
    bool any_is_all = false;
    std::size_t number = 0;
  };
  using Index = std::unordered_map<std::string, std::vector<std::uint32_t>>;

  std::vector<Entry> entries_;
  Index exact_, below_;
  Index under_;  // by each domain that a name or pattern lies in
  std::vector<std::uint32_t> any_;
};

std::string to_text(const HostPattern& pattern);

}  // namespace weir::policy
