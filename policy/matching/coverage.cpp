#include "policy/matching/coverage.h"

#include <algorithm>

#include "policy/canonical.h"
#include "policy/matching/path_glob.h"

namespace weir::policy {

namespace {

using Kind = HostPattern::Kind;

bool is_below(std::string_view name, std::string_view suffix) {
  return name.size() > suffix.size() + 1 && name.ends_with(suffix) && name[name.size() - suffix.size() - 1] == '.';
}

bool takes_addresses(const HostPattern& pattern) { return pattern.kind == Kind::exact && is_ip_literal(pattern.name); }

}  // namespace

std::vector<std::uint16_t> ports_of(const HostPattern& pattern, std::span<const std::uint16_t> rule_ports) {
  if (pattern.port) return {*pattern.port};
  if (rule_ports.empty()) return {80, 443};
  std::vector<std::uint16_t> ports(rule_ports.begin(), rule_ports.end());
  std::ranges::sort(ports);
  ports.erase(std::ranges::unique(ports).begin(), ports.end());
  return ports;
}

bool name_covers(const HostPattern& wide, const HostPattern& narrow) {
  switch (wide.kind) {
    case Kind::any:
      return !takes_addresses(narrow);  // `*` is every name; IP literals are for their own rules
    case Kind::exact:
      return narrow.kind == Kind::exact && narrow.name == wide.name;
    case Kind::below:
      if (narrow.kind == Kind::any || takes_addresses(narrow)) return false;
      return is_below(narrow.name, wide.name) || (narrow.kind == Kind::below && narrow.name == wide.name);
  }
  return false;
}

// Two host patterns are nested or apart, never crossed.
bool names_overlap(const HostPattern& a, const HostPattern& b) { return name_covers(a, b) || name_covers(b, a); }

bool glob_covers(std::string_view wide, std::string_view narrow) {
  if (wide == narrow || wide == "/**") return true;
  if (narrow.find('*') == std::string_view::npos) {
    const auto glob = PathGlob::compile(wide);
    return glob && glob->matches(narrow);
  }
  if (!wide.ends_with("/**")) return false;
  const auto prefix = wide.substr(0, wide.size() - 2);
  return prefix.find('*') == std::string_view::npos && narrow.starts_with(prefix);
}

bool rule_covers(const Rule& wide, const Rule& narrow) {
  const auto within = [](const auto& narrow_list, const auto& wide_list, auto covers) {
    return std::ranges::all_of(narrow_list, [&](const auto& n) {
      return std::ranges::any_of(wide_list, [&](const auto& w) { return covers(w, n); });
    });
  };
  const auto same = [](const auto& a, const auto& b) { return a == b; };
  if (!wide.methods.empty() && (narrow.methods.empty() || !within(narrow.methods, wide.methods, same))) return false;
  if (!wide.paths.empty() && (narrow.paths.empty() || !within(narrow.paths, wide.paths, glob_covers))) return false;
  return std::ranges::all_of(narrow.hosts, [&](const HostPattern& host) {
    return std::ranges::all_of(ports_of(host, narrow.ports), [&](std::uint16_t port) {
      return std::ranges::any_of(wide.hosts, [&](const HostPattern& other) {
        return name_covers(other, host) && std::ranges::binary_search(ports_of(other, wide.ports), port);
      });
    });
  });
}

bool destinations_overlap(std::span<const HostPattern> a, std::span<const std::uint16_t> a_ports,
                          std::span<const HostPattern> b, std::span<const std::uint16_t> b_ports) {
  for (const auto& left : a)
    for (const auto& right : b) {
      if (!names_overlap(left, right)) continue;
      const auto ports = ports_of(right, b_ports);
      if (std::ranges::any_of(ports_of(left, a_ports), [&](auto port) { return std::ranges::binary_search(ports, port); }))
        return true;
    }
  return false;
}

std::string to_text(const HostPattern& pattern) {
  std::string text = pattern.kind == Kind::any ? "*" : pattern.kind == Kind::below ? "*." + pattern.name : pattern.name;
  if (!pattern.port) return text;
  if (text.find(':') != std::string::npos) text = "[" + text + "]";
  return text + ":" + std::to_string(*pattern.port);
}

}  // namespace weir::policy
