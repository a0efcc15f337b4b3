#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "policy/difference/settings.h"
#include "policy/formatting/written.h"
#include "policy/matching/ip_address.h"

namespace weir::policy {

namespace {

using Kind = Change::Kind;
using Subject = Change::Subject;

// Networks within others say nothing.
std::vector<std::string> addresses_of(const RuleList& rules) {
  std::set<std::string> named;
  for (const auto* rule : rules)
    if (rule->action != Action::deny) named.insert(rule->addresses.begin(), rule->addresses.end());
  std::vector<std::string> widest;
  for (const auto& one : named) {
    const auto network = parse_network(one);
    const bool inner = std::ranges::any_of(named, [&](const std::string& other) {
      const auto wide = parse_network(other);
      return other != one && network && wide && wide->prefix < network->prefix && contains(*wide, network->address);
    });
    if (!inner) widest.push_back(one);
  }
  return widest;
}

bool covers(const std::vector<std::string>& wide, const std::vector<std::string>& narrow) {
  return std::ranges::all_of(narrow, [&](const std::string& one) {
    const auto network = parse_network(one);
    return std::ranges::any_of(wide, [&](const std::string& other) {
      const auto around = parse_network(other);
      return network && around && around->prefix <= network->prefix && contains(*around, network->address);
    });
  });
}

void compare_addresses(const Destinations& destinations, std::vector<Change>& out) {
  std::map<std::tuple<Kind, std::string, std::string>, std::vector<Destination>> seen;
  for (const auto& place : destinations.classes) {
    const auto in_a = addresses_of(place.rules_a), in_b = addresses_of(place.rules_b);
    const bool more = covers(in_b, in_a), less = covers(in_a, in_b);
    if (more && less) continue;
    auto& where = seen[{more   ? Kind::opened
                        : less ? Kind::closed
                               : Kind::changed,
                        fmt::format("{}", fmt::join(in_a, ", ")), fmt::format("{}", fmt::join(in_b, ", "))}];
    where.insert(where.end(), place.members.begin(), place.members.end());
  }
  for (const auto& [what, where] : seen) {
    const auto& [kind, from, to] = what;
    set_destinations(where, destinations, setting(Subject::addresses, kind, "", from, to), out);
  }
}

// Rules with a rate share one count among all requests that match them: how, is not seen in single requests.
void compare_shared_rates(const Document& a, const Document& b, std::vector<Change>& out) {
  const auto counted = [](const Document& document) {
    std::vector<Rule> rules;
    for (const auto& rule : document.rules) {
      if (!rule.rate) continue;
      Rule one = conditions_of(rule);
      one.hosts = rule.hosts;
      one.ports = rule.ports;
      std::ranges::sort(one.hosts, {}, [](const HostPattern& host) { return written(host); });
      std::ranges::sort(one.ports);
      rules.push_back(std::move(one));
    }
    return rules;
  };
  auto left = counted(a);
  bool same = true;
  for (const auto& rule : counted(b)) {
    const auto found = std::ranges::find(left, rule);
    same = same && found != left.end();
    if (found != left.end()) left.erase(found);
  }
  if (same && left.empty()) return;
  out.push_back(setting(Subject::rates, Kind::changed, "", "", "requests are counted together in another way"));
}

void compare_upstream(const Upstream& a, const Upstream& b, std::vector<Change>& out) {
  const auto add = [&](std::string name, const std::string& from, const std::string& to) {
    if (from != to) out.push_back(setting(Subject::upstream, Kind::changed, std::move(name), from, to));
  };
  add("ca_file", a.ca_file, b.ca_file);
  add("proxy", a.proxy, b.proxy);
  std::map<std::string, std::pair<std::string, std::string>> fixed;
  for (const auto& one : a.resolve) fixed[one.host].first = written(one);
  for (const auto& one : b.resolve) fixed[one.host].second = written(one);
  for (const auto& [host, both] : fixed) add("resolve " + host, both.first, both.second);
}

// Where `vault:` sources are read, and as whom: what a credential is worth hangs on it.
void compare_vault(const VaultServer& a, const VaultServer& b, std::vector<Change>& out) {
  const std::pair<const char*, std::string VaultServer::*> keys[] = {
      {"address", &VaultServer::address},       {"namespace", &VaultServer::name_space},
      {"ca_file", &VaultServer::ca_file},       {"ca_path", &VaultServer::ca_path},
      {"server_name", &VaultServer::server_name}, {"client_certificate", &VaultServer::client_certificate},
      {"client_key", &VaultServer::client_key}, {"auth.method", &VaultServer::method},
      {"auth.mount", &VaultServer::mount},      {"auth.role", &VaultServer::role},
      {"auth.user", &VaultServer::user},        {"auth.secret", &VaultServer::secret}};
  for (const auto& [name, member] : keys)
    if (a.*member != b.*member) out.push_back(setting(Subject::vault, Kind::changed, name, a.*member, b.*member));
  if (a.wrapped != b.wrapped)
    out.push_back(setting(Subject::vault, Kind::changed, "auth.wrapped", a.wrapped ? "true" : "false", b.wrapped ? "true" : "false"));
}

void compare_limits(const Limits& a, const Limits& b, std::vector<Change>& out) {
  // `most`: what counts as no limit at all.
  const auto add = [&](std::string name, std::uint64_t from, std::uint64_t to, auto text, bool ordered = true) {
    if (from == to) return;
    const auto rank = [](std::uint64_t value) { return value == 0 ? ~std::uint64_t{0} : value; };
    const Kind kind = !ordered ? Kind::changed : rank(to) > rank(from) ? Kind::opened : Kind::closed;
    out.push_back(setting(Subject::limits, kind, std::move(name), text(from), text(to)));
  };
  const auto number = [](std::uint64_t value) { return value == 0 ? std::string("no limit") : std::to_string(value); };
  const auto size = [](std::uint64_t value) { return written_size(value); };
  add("connections", a.connections, b.connections, number);
  add("requests_per_minute", a.requests_per_minute, b.requests_per_minute, number);
  add("request_body", a.request_body, b.request_body, size, a.request_body != 0 && b.request_body != 0);
  add("response_body", a.response_body, b.response_body, size, a.response_body != 0 && b.response_body != 0);
  add("inspected_body", a.inspected_body, b.inspected_body, size, false);
  add(
      "approval_wait", a.approval_seconds, b.approval_seconds,
      [](std::uint64_t value) { return written_duration(static_cast<std::uint32_t>(value)); }, false);
}

}  // namespace

Change setting(Subject subject, Kind kind, std::string name, std::string from, std::string to) {
  Change change;
  change.kind = kind;
  change.subject = subject;
  change.name = std::move(name);
  change.from = std::move(from);
  change.to = std::move(to);
  return change;
}

void compare_settings(const Policy& a, const Policy& b, const Destinations& destinations, Difference& difference) {
  auto& out = difference.changes;
  const bool rates_seen = std::ranges::any_of(out, [](const Change& change) {
    return change.from.find('/') != std::string::npos || change.to.find('/') != std::string::npos;
  });
  compare_addresses(destinations, out);
  compare_credentials(a, b, destinations, out);
  compare_oauth(a.document(), b.document(), out);
  if (!rates_seen) compare_shared_rates(a.document(), b.document(), out);
  compare_upstream(a.document().upstream, b.document().upstream, out);
  compare_vault(a.document().vault, b.document().vault, out);
  compare_limits(a.document().limits, b.document().limits, out);
}

}  // namespace weir::policy
