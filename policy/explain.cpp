#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/text.h"
#include "policy/matching/coverage.h"
#include "policy/matching/host_index.h"
#include "policy/matching/path_glob.h"
#include "policy/policy.h"

namespace weir::policy {

namespace {

std::string missed_host(const Rule& rule, std::string_view host) {
  std::vector<std::string> names;
  for (const auto& pattern : rule.hosts) names.push_back(to_text(pattern));
  return fmt::format("host {} is not in [{}]", host, fmt::join(names, ", "));
}

// The conditions in the order in which decide() looks at them.
std::string first_missed(const Rule& rule, const Request& request) {
  bool host_matches = false, port_matches = false;
  std::vector<std::uint16_t> ports;
  for (const auto& pattern : rule.hosts) {
    if (!matches_host(pattern, request.host, rule.action == Action::deny)) continue;
    host_matches = true;
    const auto pattern_ports = ports_of(pattern, rule.ports);
    port_matches = port_matches || std::ranges::find(pattern_ports, request.port) != pattern_ports.end();
    ports.insert(ports.end(), pattern_ports.begin(), pattern_ports.end());
  }
  if (!host_matches) return missed_host(rule, request.host);
  if (!port_matches) {
    std::ranges::sort(ports);
    ports.erase(std::ranges::unique(ports).begin(), ports.end());
    return fmt::format("port {} is not in [{}]", request.port, fmt::join(ports, ", "));
  }
  if (!rule.methods.empty() && std::ranges::find(rule.methods, request.method) == rule.methods.end())
    return fmt::format("method {} is not in [{}]", printable(request.method, 40), fmt::join(rule.methods, ", "));
  if (rule.paths.empty()) return {};
  if (request.path == nullptr || request.path->ambiguous)
    return "the path is ambiguous: two servers could read it differently";
  if (request.path->encoded_slash && !rule.encoded_slash)
    return "the path has an encoded slash (%2F), and the rule does not say `encoded_slash: allow`";
  for (const auto& pattern : rule.paths)
    if (const auto glob = PathGlob::compile(pattern); glob && glob->matches(request.path->decoded)) return {};
  return fmt::format("path {} is not in [{}]", printable(request.path->decoded, 300), fmt::join(rule.paths, ", "));
}

}  // namespace

std::vector<NearMiss> explain(const Policy& policy, const Request& request) {
  std::vector<NearMiss> all;
  for (const auto& rule : policy.document().rules) all.push_back({&rule, first_missed(rule, request)});
  return all;
}

}  // namespace weir::policy
