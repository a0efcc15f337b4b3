// What in a document cannot stand beside each other.
#include <map>

#include "base/text.h"
#include "policy/document/check.h"
#include "policy/matching/coverage.h"

namespace weir::policy {

std::optional<std::pair<std::size_t, std::size_t>> find_conflict(const Document& document) {
  std::map<std::string, DestinationSet> by_header;  // header names are compared without case, RFC 9110 §5.1
  for (std::size_t i = 0; i < document.credentials.size(); ++i) {
    auto& others = by_header[to_lower(document.credentials[i].inject.name)];
    const Destinations mine{document.credentials[i].hosts, {}};
    if (const auto other = others.overlapping(mine)) return std::pair(*other, i);
    others.add(mine, i);
  }
  return std::nullopt;
}

std::vector<TunnelConflict> find_tunnel_conflicts(const Document& document, std::size_t most) {
  DestinationSet tunnels;
  for (std::size_t i = 0; i < document.rules.size(); ++i)
    if (const auto& rule = document.rules[i]; rule.is_tunnel() && rule.action != Action::deny)
      tunnels.add(destinations_of(rule), i);
  std::vector<TunnelConflict> found;
  if (tunnels.empty()) return found;
  for (std::size_t i = 0; i < document.credentials.size() && found.size() < most; ++i)
    if (const auto tunnel = tunnels.overlapping({document.credentials[i].hosts, {}})) found.push_back({*tunnel, true, i});
  for (std::size_t i = 0; i < document.rules.size() && found.size() < most; ++i)
    if (document.rules[i].looks_inside())
      if (const auto tunnel = tunnels.overlapping(destinations_of(document.rules[i]))) found.push_back({*tunnel, false, i});
  return found;
}

}  // namespace weir::policy
