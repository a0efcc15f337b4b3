#include "policy/lint.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "policy/document/check_credential.h"
#include "policy/lint_openings.h"
#include "policy/loading/diagnostics.h"
#include "policy/matching/coverage.h"
#include "policy/matching/path_glob.h"

namespace weir::policy {

namespace {

// Comparing each rule with each other is fine for files that people write. What programs write is not compared.
bool is_comparable(const Document& document) {
  constexpr std::size_t kMaxRules = 2000, kMaxHosts = 20'000;
  std::size_t hosts = 0;
  for (const auto& rule : document.rules) hosts += rule.hosts.size();
  return document.rules.size() <= kMaxRules && hosts <= kMaxHosts;
}

std::string where(const Rule& rule) { return fmt::format("`{}` ({}:{})", rule.name, rule.place.file, rule.place.line); }

// Its limits hold whatever other rules say.
bool limits_something(const Rule& rule) { return rule.rate || rule.body_max; }

bool decides_nothing_beside(const Rule& stricter, const Rule& rule) {
  return stricter.action > rule.action && (stricter.action == Action::deny || !limits_something(rule)) &&
         rule_covers(stricter, rule);
}

bool adds_nothing_to(const Rule& wide, const Rule& rule) {
  return rule.action == wide.action && rule.addresses.empty() && !limits_something(rule) &&
         (!rule.encoded_slash || wide.encoded_slash || wide.paths.empty()) && rule_covers(wide, rule);
}

void warn_of_covered_rules(Diagnostics& diagnostics, const Document& document) {
  const auto& rules = document.rules;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (rules[i].place.file != document.file) continue;
    for (std::size_t j = 0; j < rules.size(); ++j) {
      if (i == j) continue;
      if (decides_nothing_beside(rules[j], rules[i])) {
        diagnostics.warning(rules[i].place,
                            fmt::format("rule `{}` never decides anything: the stricter rule {} matches all that it matches",
                                        rules[i].name, where(rules[j])));
        break;
      }
      // Of two that say the same, the later one is the one too many.
      if (adds_nothing_to(rules[j], rules[i]) && (i > j || !adds_nothing_to(rules[i], rules[j]))) {
        diagnostics.warning(rules[i].place,
                            fmt::format("rule `{}` adds nothing: rule {} matches all that it matches, with the same action",
                                        rules[i].name, where(rules[j])));
        break;
      }
    }
  }
}

// A rule is for ports 443 and 80 unless it says more; for a denial that is easily forgotten.
void warn_of_denials_beside_other_ports(Diagnostics& diagnostics, const Document& document) {
  for (const auto& deny : document.rules) {
    if (deny.action != Action::deny || deny.place.file != document.file) continue;
    for (const auto& other : document.rules) {
      if (other.action == Action::deny) continue;
      std::optional<std::uint16_t> open_port;
      for (const auto& host : other.hosts)
        for (const auto port : ports_of(host, other.ports)) {
          bool same_name = false, same_port = false;
          for (const auto& denied : deny.hosts) {
            if (!names_overlap(denied, host, true)) continue;
            same_name = true;
            same_port = same_port || std::ranges::binary_search(ports_of(denied, deny.ports), port);
          }
          if (same_name && !same_port) open_port = port;
        }
      if (!open_port) continue;
      diagnostics.warning(deny.place,
                          fmt::format("rule `{}` does not deny port {}, which rule {} opens on the same host", deny.name,
                                      *open_port, where(other)),
                          "add the port to the rule's `ports` if the denial is meant for it too");
      break;
    }
  }
}

// Where requests are let through at all.
DestinationSet opened_places(const Document& document) {
  DestinationSet open;
  for (std::size_t i = 0; i < document.rules.size(); ++i)
    if (const auto& rule = document.rules[i]; rule.action != Action::deny && !rule.is_tunnel())
      open.add(destinations_of(rule), i);
  return open;
}

void warn_of_unreached_credentials(Diagnostics& diagnostics, const Document& document) {
  if (document.default_action != Action::deny || document.credentials.empty()) return;
  const auto open = opened_places(document);
  for (const auto& credential : document.credentials)
    if (credential.place.file == document.file && !open.overlapping({credential.hosts, {}}))
      diagnostics.warning(
          credential.place, fmt::format("no rule lets a request through to the hosts of credential `{}`", credential.name),
          "a credential allows nothing by itself; for ports other than 443 and 80 its hosts need the port too");
}

// Whether some rule could let a login through there: its host and port, and a path that may be this one.
bool may_reach(const Rule& rule, const OAuthCapture& capture) {
  if (rule.action == Action::deny || rule.is_tunnel() || rule.websocket == true) return false;
  const std::vector<HostPattern> host{{HostPattern::Kind::exact, capture.host, capture.port}};
  if (!overlap(destinations_of(rule), {host, {}})) return false;
  if (!rule.methods.empty() && std::ranges::find(rule.methods, "POST") == rule.methods.end()) return false;  // RFC 6749 §3.2
  return rule.paths.empty() || std::ranges::any_of(rule.paths, [&](const std::string& pattern) {
    const auto glob = PathGlob::compile(pattern);
    return glob && glob->matches(capture.path);
  });
}

void warn_of_unreached_logins(Diagnostics& diagnostics, const Document& document) {
  if (document.default_action != Action::deny) return;
  for (const auto& capture : document.oauth)
    if (capture.place.file == document.file &&
        std::ranges::none_of(document.rules, [&](const Rule& rule) { return may_reach(rule, capture); }))
      diagnostics.warning(capture.place, fmt::format("no rule lets a login through to `{}`", token_url(capture)),
                          fmt::format("an entry of `oauth` allows nothing by itself; a rule with hosts: [{}] and methods: [POST] would",
                                      to_text(HostPattern{HostPattern::Kind::exact, capture.host, capture.port == 443 ? std::nullopt : std::optional(capture.port)})));
}

void warn_of_equal_names(Diagnostics& diagnostics, const Document& document) {
  std::map<std::string_view, const Rule*> seen;
  for (const auto& rule : document.rules) {
    if (rule.place.file != document.file) continue;
    const auto [first, is_new] = seen.emplace(rule.name, &rule);
    if (!is_new)
      diagnostics.warning(rule.place, fmt::format("rule `{}` has the name of an earlier one", rule.name),
                          fmt::format("the other stands at line {}; events name rules by this", first->second->place.line));
  }
}

}  // namespace

void add_warnings(Loaded& loaded, std::string_view text) {
  if (!loaded.ok()) return;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const Document& document = loaded.document;
  Diagnostics diagnostics(document.file, text);
  warn_of_openings(diagnostics, document);
  if (is_comparable(document)) {
    warn_of_covered_rules(diagnostics, document);
    warn_of_denials_beside_other_ports(diagnostics, document);
  }
  warn_of_unreached_credentials(diagnostics, document);
  warn_of_unreached_logins(diagnostics, document);
  warn_of_equal_names(diagnostics, document);
  for (auto& warning : diagnostics.take()) loaded.diagnostics.push_back(std::move(warning));
  sort_by_place(loaded.diagnostics);
}

}  // namespace weir::policy
