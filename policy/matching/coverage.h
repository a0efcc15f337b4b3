// How patterns lie to each other: for conflicts between credentials and for warnings about rules without effect.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "policy/document.h"

namespace weir::policy {

// The ports that a pattern stands for: its own, else the rule's, else 443 and 80. Sorted, without repeats.
std::vector<std::uint16_t> ports_of(const HostPattern& pattern, std::span<const std::uint16_t> rule_ports = {});

bool names_overlap(const HostPattern& a, const HostPattern& b);        // some host matches both
bool name_covers(const HostPattern& wide, const HostPattern& narrow);  // every host of `narrow` matches `wide`
bool glob_covers(std::string_view wide, std::string_view narrow);      // true only when sure

// Whether every request that `narrow` matches is matched by `wide` too. False when in doubt.
bool rule_covers(const Rule& wide, const Rule& narrow);

// Whether some destination (host and port) belongs to both.
bool destinations_overlap(std::span<const HostPattern> a, std::span<const std::uint16_t> a_ports,
                          std::span<const HostPattern> b, std::span<const std::uint16_t> b_ports);

std::string to_text(const HostPattern& pattern);

}  // namespace weir::policy
