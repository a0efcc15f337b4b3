#include "policy/difference/destinations.h"

#include <algorithm>
#include <map>
#include <set>

#include "policy/matching/host_index.h"

namespace weir::policy {

namespace {

using Kind = HostPattern::Kind;

struct Host {
  std::string name, label;
};

// Every host that one of the files tells from the others.
std::vector<Host> hosts_of(const Document& a, const Document& b) {
  std::set<std::string> exact, below;
  const auto take = [&](const HostPattern& pattern) {
    if (pattern.kind == Kind::exact) exact.insert(pattern.name);
    if (pattern.kind == Kind::below) below.insert(pattern.name);
  };
  for (const auto* document : {&a, &b}) {
    for (const auto& rule : document->rules) std::ranges::for_each(rule.hosts, take);
    for (const auto& credential : document->credentials) std::ranges::for_each(credential.hosts, take);
    for (const auto& fixed : document->upstream.resolve) exact.insert(fixed.host);
  }
  std::vector<Host> hosts;
  for (const auto& name : exact) hosts.push_back({name, name});
  const auto fresh = [&](const std::string& parent) {
    std::string label = "other";
    while (exact.contains(label + "." + parent) || below.contains(label + "." + parent)) label += "x";
    return label + "." + parent;
  };
  for (const auto& name : below) hosts.push_back({fresh(name), "*." + name});
  std::string outside = "invalid";
  while (below.contains(outside)) outside += "x";
  hosts.push_back({fresh(outside), "other names"});
  std::string address = "192.0.2.1";
  for (int i = 2; exact.contains(address) && i < 255; ++i) address = "192.0.2." + std::to_string(i);
  if (!exact.contains(address)) hosts.push_back({address, "other addresses"});
  return hosts;
}

struct Port {
  std::uint16_t number;
  std::string label;
};

std::vector<Port> ports_of(const Document& a, const Document& b) {
  std::set<std::uint16_t> named{80, 443};
  const auto take = [&](const std::vector<HostPattern>& hosts) {
    for (const auto& pattern : hosts)
      if (pattern.port) named.insert(*pattern.port);
  };
  for (const auto* document : {&a, &b}) {
    for (const auto& rule : document->rules) named.insert(rule.ports.begin(), rule.ports.end()), take(rule.hosts);
    for (const auto& credential : document->credentials) take(credential.hosts);
  }
  std::vector<Port> ports;
  for (const auto port : named) ports.push_back({port, std::to_string(port)});
  for (std::uint16_t other = 9999; other != 0; --other)
    if (!named.contains(other)) {
      ports.push_back({other, "other ports"});
      break;
    }
  return ports;
}

// Which rules name this host with which ports, so that ports need not go through all rules again.
struct HostRules {
  struct One {
    const Rule* rule;
    std::vector<std::optional<std::uint16_t>> ports;  // of the patterns that match
  };
  std::vector<One> list;

  HostRules(const Document& document, const std::string& host) {
    for (const auto& rule : document.rules) {
      One one{&rule, {}};
      for (const auto& pattern : rule.hosts)
        if (matches_host(pattern, host, rule.action == Action::deny)) one.ports.push_back(pattern.port);
      if (!one.ports.empty()) list.push_back(std::move(one));
    }
  }
  RuleList at(std::uint16_t port) const {
    RuleList rules;
    for (const auto& one : list) {
      const bool usual = one.rule->ports.empty() ? port == 443 || port == 80
                                                 : std::ranges::find(one.rule->ports, port) != one.rule->ports.end();
      if (std::ranges::any_of(one.ports, [&](const auto& own) { return own ? *own == port : usual; }))
        rules.push_back(one.rule);
    }
    return rules;
  }
};

}  // namespace

Destinations destinations_of(const Document& a, const Document& b) {
  Destinations result;
  const auto ports = ports_of(a, b);
  for (const auto& port : ports) result.port_labels.push_back(port.label);
  std::map<std::pair<RuleList, RuleList>, std::size_t> known;
  for (const auto& host : hosts_of(a, b)) {
    const HostRules rules_a(a, host.name), rules_b(b, host.name);
    for (const auto& port : ports) {
      const Destination destination{host.name, port.number, host.label, port.label};
      result.all.push_back(destination);
      auto here_a = rules_a.at(port.number), here_b = rules_b.at(port.number);
      const auto [place, is_new] = known.emplace(std::pair(here_a, here_b), result.classes.size());
      if (is_new) result.classes.push_back({{}, std::move(here_a), std::move(here_b)});
      result.classes[place->second].members.push_back(destination);
    }
  }
  return result;
}

}  // namespace weir::policy
