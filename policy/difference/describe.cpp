#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/text.h"
#include "policy/difference.h"

namespace weir::policy {

namespace {

constexpr std::size_t kShown = 6;

std::string list(const std::vector<std::string>& words) {
  std::string out;
  for (std::size_t i = 0; i < words.size() && i < kShown; ++i) out += (i > 0 ? ", " : "") + printable(words[i], 120);
  if (words.size() > kShown) out += fmt::format(" and {} more", words.size() - kShown);
  return out;
}

std::string verb(const std::string& verdict) {  // "allow, 60/min" as "allows, 60/min"
  const auto end = std::min(verdict.find(','), verdict.size());
  const auto word = verdict.substr(0, end);
  return (word == "deny" ? "denies" : word + "s") + verdict.substr(end);
}

std::string places(const Change& change) {
  std::string out;
  if (!change.schemes.empty()) out += list(change.schemes) + " ";
  out += list(change.hosts);
  if (change.ports.size() == 1 && change.ports.front() == "any") return out + " (any port)";
  if (change.ports.size() == 1 && change.ports.front() == "other ports") return out + " (other ports)";
  if (!change.ports.empty()) out += fmt::format(" (port {})", list(change.ports));
  return out;
}

std::string because(const std::string& rule, const std::string& why) {
  if (!rule.empty()) {
    const bool plain = why.empty() || why == "rule_denies";
    return fmt::format(": {}{}", plain ? "" : std::string(reason_for(why)) + ", ",
                       fmt::format("rule `{}`", printable(rule, 100)));
  }
  return why.empty() ? ": default" : ": no rule";
}

std::vector<std::string> with_examples(std::vector<std::string> globs, const std::vector<std::string>& examples) {
  for (const auto& path : examples) globs.push_back(path.starts_with('/') ? fmt::format("(like {})", path) : path);
  return globs;
}

std::string requests(const Change& change) {
  const bool tunnel =
      std::ranges::any_of(change.schemes, [](const auto& scheme) { return scheme == "tcp" || scheme == "tls"; });
  auto out = fmt::format("B {:<7} ", verb(change.to));
  if (!tunnel) out += change.methods.empty() ? "any method  " : list(change.methods) + "  ";
  out += places(change);
  const auto paths = with_examples(change.paths, change.paths_like);
  const auto paths_but = with_examples(change.paths_but, change.paths_but_like);
  if (!paths.empty()) out += "  " + list(paths);
  if (!paths_but.empty()) out += fmt::format("{} but {}", paths.empty() ? "  any path" : "", list(paths_but));
  for (const auto& [name, words] : change.conditions) {
    if (name == "websocket")
      out += words.front() == "true" ? "  WebSocket" : "";
    else
      out += fmt::format("  {}: {}", name, list(words));
  }
  return out + fmt::format("  (A {}{}; B{})", verb(change.from), because(change.rule_a, change.why_a),
                           because(change.rule_b, change.why_b));
}

std::string shown(const std::string& value) { return value.empty() ? "none" : printable(value, 200); }

std::string credential(const Change& change) {
  if (change.hosts.empty())
    return fmt::format("credential {}: {} in A, {} in B", printable(change.name), shown(change.from), shown(change.to));
  return change.kind == Change::Kind::opened
             ? fmt::format("credential {} ({}): new at {}", printable(change.name), shown(change.to), places(change))
             : fmt::format("credential {} ({}): no longer at {}", printable(change.name), shown(change.from),
                           places(change));
}

}  // namespace

std::string describe(const Change& change) {
  switch (change.subject) {
    case Change::Subject::requests:
      return requests(change);
    case Change::Subject::credential:
      return credential(change);
    case Change::Subject::addresses:
      return fmt::format("private addresses for {}: {} in A, {} in B", places(change), shown(change.from), shown(change.to));
    case Change::Subject::oauth: {
      const auto keeper = [](const std::string& name) { return name.empty() ? "the sandbox gets it" : "kept as " + printable(name, 100); };
      return fmt::format("token {}: {} in A, {} in B", printable(change.name, 300), keeper(change.from), keeper(change.to));
    }
    case Change::Subject::leaks:
      return fmt::format("leaks: {} in A, {} in B", shown(change.from), shown(change.to));
    case Change::Subject::rates:
      return fmt::format("rates: {}", change.to);
    case Change::Subject::upstream:
      return fmt::format("upstream {}: {} in A, {} in B", printable(change.name), shown(change.from), shown(change.to));
    case Change::Subject::vault:
      return fmt::format("vault {}: {} in A, {} in B", change.name, shown(change.from), shown(change.to));
    case Change::Subject::limits:
      return fmt::format("limit {}: {} in A, {} in B", change.name, shown(change.from), shown(change.to));
  }
  return {};
}

}  // namespace weir::policy
