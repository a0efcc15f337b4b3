#include "policy/matching/coverage.h"

#include <algorithm>

#include "policy/canonical.h"
#include "policy/matching/path_glob.h"
#include "policy/matching/text_glob.h"

namespace weir::policy {

namespace {

using Kind = HostPattern::Kind;

bool is_below(std::string_view name, std::string_view suffix) {
  return name.size() > suffix.size() + 1 && name.ends_with(suffix) && name[name.size() - suffix.size() - 1] == '.';
}

bool is_address(const HostPattern& pattern) { return pattern.kind == Kind::exact && is_ip_literal(pattern.name); }

bool share(const std::vector<std::uint16_t>& a, const std::vector<std::uint16_t>& b) {
  return std::ranges::any_of(a, [&](auto port) { return std::ranges::binary_search(b, port); });
}

}  // namespace

std::vector<std::uint16_t> ports_of(const HostPattern& pattern, std::span<const std::uint16_t> rule_ports) {
  if (pattern.port) return {*pattern.port};
  if (rule_ports.empty()) return {80, 443};
  std::vector<std::uint16_t> ports(rule_ports.begin(), rule_ports.end());
  std::ranges::sort(ports);
  ports.erase(std::ranges::unique(ports).begin(), ports.end());
  return ports;
}

bool name_covers(const HostPattern& wide, const HostPattern& narrow, bool any_is_all) {
  switch (wide.kind) {
    case Kind::any:
      return any_is_all || !is_address(narrow);
    case Kind::exact:
      return narrow.kind == Kind::exact && narrow.name == wide.name;
    case Kind::below:
      if (narrow.kind == Kind::any || is_address(narrow)) return false;
      return is_below(narrow.name, wide.name) || (narrow.kind == Kind::below && narrow.name == wide.name);
  }
  return false;
}

// Two host patterns are nested or apart, never crossed.
bool names_overlap(const HostPattern& a, const HostPattern& b, bool any_is_all) {
  return name_covers(a, b, any_is_all) || name_covers(b, a, any_is_all);
}

bool path_covers(std::string_view wide, std::string_view narrow) {
  if (wide == narrow || wide == "/**") return true;
  if (narrow.find('*') == std::string_view::npos) {
    const auto glob = PathGlob::compile(wide);
    return glob && glob->matches(narrow);
  }
  if (!wide.ends_with("/**")) return false;
  const auto prefix = wide.substr(0, wide.size() - 2);
  return prefix.find('*') == std::string_view::npos && narrow.starts_with(prefix);
}

// A `*` of the narrow one is as any other character to the wide one, which can take it only with a `*` of its own.
bool text_covers(std::string_view wide, std::string_view narrow) { return TextGlob(wide).matches(narrow); }

Destinations destinations_of(const Rule& rule) { return {rule.hosts, rule.ports, rule.action == Action::deny}; }

bool overlap(const Destinations& a, const Destinations& b) {
  for (const auto& left : a.hosts)
    for (const auto& right : b.hosts) {
      const bool names = name_covers(left, right, a.any_is_all) || name_covers(right, left, b.any_is_all);
      if (names && share(ports_of(left, a.ports), ports_of(right, b.ports))) return true;
    }
  return false;
}

bool covers(const Destinations& wide, const Destinations& narrow) {
  return std::ranges::all_of(narrow.hosts, [&](const HostPattern& host) {
    // A denial's `*` is more than the `*` of another rule.
    const bool needs_all = host.kind == Kind::any && narrow.any_is_all;
    return std::ranges::all_of(ports_of(host, narrow.ports), [&](std::uint16_t port) {
      return std::ranges::any_of(wide.hosts, [&](const HostPattern& other) {
        return name_covers(other, host, wide.any_is_all) && (!needs_all || wide.any_is_all) &&
               std::ranges::binary_search(ports_of(other, wide.ports), port);
      });
    });
  });
}

namespace {

// Calls `visit` with each domain that `name` lies in: b.c and c for a.b.c.
template <class Visit>
void each_domain(std::string_view name, Visit&& visit) {
  for (auto dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.', dot + 1)) visit(name.substr(dot + 1));
}

}  // namespace

void DestinationSet::add(const Destinations& destinations, std::size_t number) {
  for (const auto& host : destinations.hosts) {
    const auto index = static_cast<std::uint32_t>(entries_.size());
    entries_.push_back({host, ports_of(host, destinations.ports), destinations.any_is_all, number});
    if (host.kind == Kind::any) {
      any_.push_back(index);
      continue;
    }
    (host.kind == Kind::exact ? exact_ : below_)[host.name].push_back(index);
    if (!is_address(host))
      each_domain(host.name, [&](std::string_view domain) { under_[std::string(domain)].push_back(index); });
    if (host.kind == Kind::below) under_[host.name].push_back(index);
  }
}

std::optional<std::size_t> DestinationSet::overlapping(const Destinations& destinations) const {
  for (const auto& host : destinations.hosts) {
    const auto ports = ports_of(host, destinations.ports);
    std::optional<std::size_t> found;
    const auto look = [&](const std::vector<std::uint32_t>& candidates) {
      for (const auto index : candidates) {
        if (found) return;
        const Entry& entry = entries_[index];
        const bool names =
            name_covers(entry.pattern, host, entry.any_is_all) || name_covers(host, entry.pattern, destinations.any_is_all);
        if (names && share(ports, entry.ports)) found = entry.number;
      }
    };
    const auto look_up = [&](const Index& index, std::string_view name) {
      if (const auto at = index.find(std::string(name)); at != index.end()) look(at->second);
    };
    if (host.kind == Kind::any) {
      for (std::uint32_t i = 0; i < entries_.size() && !found; ++i) look({i});
    } else {
      look(any_);
      if (host.kind == Kind::exact) look_up(exact_, host.name);
      if (host.kind == Kind::below) look_up(under_, host.name);
      if (!is_address(host)) each_domain(host.name, [&](std::string_view domain) { look_up(below_, domain); });
    }
    if (found) return found;
  }
  return std::nullopt;
}

std::string to_text(const HostPattern& pattern) {
  std::string text = pattern.kind == Kind::any ? "*" : pattern.kind == Kind::below ? "*." + pattern.name : pattern.name;
  if (!pattern.port) return text;
  if (text.find(':') != std::string::npos) text = "[" + text + "]";
  return text + ":" + std::to_string(*pattern.port);
}

}  // namespace weir::policy
