#include "policy/learning.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "policy/canonical.h"
#include "policy/document/check.h"
#include "policy/learning/observed_path.h"
#include "policy/learning/path_patterns.h"
#include "policy/matching/coverage.h"
#include "policy/matching/path_glob.h"
#include "policy/policy.h"

namespace weir::policy {

namespace {

constexpr std::size_t kMaxUses = 32;  // bits in SeenPath::uses: different methods at one place

bool is_connection(const Observation& seen) { return seen.scheme == "tcp" || seen.scheme == "tls"; }

Request request_of(const Observation& seen, const CanonicalPath& path) {
  Request request;
  request.scheme = seen.scheme;
  request.host = seen.host;
  request.port = seen.port;
  if (is_connection(seen)) return request;
  request.method = seen.method;
  request.path = &path;
  request.websocket = seen.websocket;
  return request;
}

// Whether it may pass, as far as can be said without headers and body.
Decision decide(const Policy& policy, const Observation& seen) {
  const auto path = observed_path(seen.path);
  return policy.decide(request_of(seen, path));
}

bool passes(const Decision& decision) { return decision.action != Action::deny || decision.needs_body; }

std::vector<Observation> merged(std::span<const Observation> observations) {
  using Key = std::tuple<std::string_view, std::uint16_t, std::string_view, std::string_view, std::string_view, bool>;
  std::map<Key, Observation> all;
  for (const auto& seen : observations) {
    const Key key{seen.host, seen.port, seen.scheme, seen.path, seen.method, seen.websocket};
    if (const auto [found, is_new] = all.emplace(key, seen); !is_new) found->second.count += seen.count;
  }
  std::vector<Observation> list;
  for (auto& [key, seen] : all) list.push_back(std::move(seen));
  return list;
}

HostPattern pattern_of(const Observation& seen) {
  HostPattern pattern{.kind = HostPattern::Kind::exact, .name = seen.host, .port = seen.port};
  if (!is_connection(seen) && (seen.port == 443 || seen.port == 80)) pattern.port.reset();
  if (seen.scheme == "tls" && seen.port == 443) pattern.port.reset();
  return pattern;
}

// What a request does, for its rule's `methods`: to read is one, whether with a body in the answer or without.
std::string use_of(const Observation& seen) {
  if (seen.websocket) return "websocket";
  return seen.method == "HEAD" ? "GET" : seen.method;
}

// What a learned rule says but for its hosts; the order is the rules' order for a host.
struct RuleKey {
  enum class Kind : std::uint8_t { requests, websocket, tcp, passthrough } kind = Kind::requests;
  std::vector<std::string> methods{};
  std::vector<std::string> paths{};
  bool encoded_slash = false;
  std::string alone{};  // of a connection: its place, so that each has a rule of its own
  auto operator<=>(const RuleKey&) const = default;
};

struct Hosts {
  std::vector<HostPattern> patterns;
  std::vector<std::uint64_t> counts;  // of each

  void add(const HostPattern& pattern, std::uint64_t count) {
    if (const auto found = std::ranges::find(patterns, pattern); found != patterns.end()) {
      counts[static_cast<std::size_t>(found - patterns.begin())] += count;
      return;
    }
    patterns.push_back(pattern);
    counts.push_back(count);
  }
};

std::string name_of_rule(const RuleKey& key, const std::vector<HostPattern>& hosts) {
  const std::string where =
      to_text(hosts.front()) + (hosts.size() > 1 ? fmt::format(" and {} more", hosts.size() - 1) : std::string());
  if (key.kind == RuleKey::Kind::tcp) return "connect to " + where;
  if (key.kind == RuleKey::Kind::passthrough) return "TLS to " + where;
  if (key.kind == RuleKey::Kind::websocket) return "WebSocket to " + where;
  if (key.methods.front() == "GET") return "read " + where;
  return fmt::format("{} {}", fmt::join(key.methods, ", "), where);
}

Rule rule_of(const RuleKey& key, const std::vector<HostPattern>& hosts) {
  Rule rule;
  rule.name = name_of_rule(key, hosts);
  rule.hosts = hosts;
  rule.tcp = key.kind == RuleKey::Kind::tcp;
  rule.passthrough = key.kind == RuleKey::Kind::passthrough;
  rule.methods = key.methods;
  rule.paths = key.paths;
  rule.encoded_slash = key.encoded_slash;
  if (key.kind == RuleKey::Kind::websocket) rule.websocket = true;
  return rule;
}

std::string comment_of(const RuleKey& key, const Hosts& hosts) {
  std::uint64_t total = 0;
  for (const auto count : hosts.counts) total += count;
  const bool raw = key.kind == RuleKey::Kind::tcp || key.kind == RuleKey::Kind::passthrough;
  std::string text = fmt::format("{} {}{}", total, raw ? "connection" : "request", total == 1 ? "" : "s");
  if (hosts.patterns.size() < 2 || hosts.patterns.size() > 12) return text;
  for (std::size_t i = 0; i < hosts.patterns.size(); ++i)
    text += fmt::format("{} {} {}", i == 0 ? ":" : ",", to_text(hosts.patterns[i]), hosts.counts[i]);
  return text;
}

class Learner {
 public:
  explicit Learner(const Document& policy) {
    learned_.document = policy;
    learned_.document.default_action = Action::deny;
  }

  Learned learn(std::span<const Observation> observations) {
    const auto own = Policy::compile(learned_.document);
    std::map<HostPattern, std::vector<Observation>, ByText> places;
    for (const auto& seen : merged(observations)) {
      // Its own rules may allow it already: a rule can be called "default", or the policy have changed since.
      if (own && passes(decide(*own, seen))) continue;
      if (!seen.refused.empty() && seen.refused != "no_rule") {
        leave_out(seen, fmt::format("it was refused for another reason than the rules ({})", seen.refused));
      } else if (is_connection(seen)) {
        RuleKey key{seen.scheme == "tcp" ? RuleKey::Kind::tcp : RuleKey::Kind::passthrough};
        key.alone = to_text(pattern_of(seen));
        rules_[key].add(pattern_of(seen), seen.count);
        taken_.push_back(seen);
      } else if (can_be_a_rule(seen)) {
        places[pattern_of(seen)].push_back(seen);
        taken_.push_back(seen);
      }
    }
    for (const auto& [place, seen] : places) add_place(place, seen);
    write_rules();
    remove_conflicting_rules();
    confirm();
    return std::move(learned_);
  }

 private:
  struct ByText {
    bool operator()(const HostPattern& a, const HostPattern& b) const { return to_text(a) < to_text(b); }
  };

  void leave_out(const Observation& seen, std::string why) { learned_.left_out.push_back({seen, std::move(why)}); }

  // Whether `methods` and `paths` can say it at all.
  bool can_be_a_rule(const Observation& seen) {
    if (!seen.websocket && check_method(seen.method)) {
      leave_out(seen, "no rule can name its method");
      return false;
    }
    if (observed_path(seen.path).ambiguous) {
      leave_out(seen, "two servers could read its path differently, so no rule with `paths` allows it");
      return false;
    }
    return true;
  }

  void add_place(const HostPattern& place, const std::vector<Observation>& seen) {
    std::vector<std::string> uses;
    std::vector<std::uint64_t> counts;
    std::vector<SeenPath> paths;
    bool encoded_slash = false;
    for (const auto& one : seen) {
      const auto use = use_of(one);
      auto index = static_cast<std::size_t>(std::ranges::find(uses, use) - uses.begin());
      if (index == kMaxUses) {
        leave_out(one, "too many different methods were used there");
        continue;
      }
      if (index == uses.size()) {
        uses.push_back(use);
        counts.push_back(0);
      }
      counts[index] += one.count;
      paths.push_back({one.path, std::uint32_t{1} << index});
      encoded_slash = encoded_slash || observed_path(one.path).encoded_slash;
    }
    std::map<std::vector<std::string>, std::vector<std::size_t>> by_globs;  // uses that have the same
    const auto patterns = generalise(paths);
    for (std::size_t i = 0; i < uses.size(); ++i) {
      std::vector<std::string> globs;
      for (const auto& pattern : patterns)
        if ((pattern.uses >> i & 1U) != 0 && PathGlob::compile(pattern.glob)) globs.push_back(pattern.glob);
      if (globs.empty()) continue;  // a path that no pattern can hold; confirm() tells it
      if (uses[i] == "websocket")
        rules_[{RuleKey::Kind::websocket, {}, std::move(globs), encoded_slash}].add(place, counts[i]);
      else
        by_globs[std::move(globs)].push_back(i);
    }
    for (const auto& [globs, same] : by_globs) {
      RuleKey key{RuleKey::Kind::requests, {}, globs, encoded_slash};
      std::uint64_t count = 0;
      for (const auto index : same) {
        key.methods.push_back(uses[index]);
        count += counts[index];
      }
      // Whoever may read a page may ask for its head.
      if (std::ranges::find(key.methods, "GET") != key.methods.end()) key.methods.push_back("HEAD");
      std::ranges::sort(key.methods, {}, [](const std::string& m) { return std::pair(m != "GET" && m != "HEAD", m); });
      rules_[key].add(place, count);
    }
  }

  void write_rules() {
    std::vector<std::pair<RuleKey, Hosts>> all(rules_.begin(), rules_.end());
    // A host's rules beside each other: the reader asks "what may it do there?".
    std::ranges::stable_sort(all, {}, [](const auto& entry) { return entry.second.patterns.front().name; });
    learned_.comments.resize(learned_.document.rules.size());
    for (const auto& [key, hosts] : all) {
      learned_.document.rules.push_back(rule_of(key, hosts.patterns));
      learned_.comments.push_back(comment_of(key, hosts));
    }
  }

  // A connection that is not looked into would go past a credential or a condition on requests at the same place. Of two such
  // rules the one that was learned gives way; of two learned ones the connection.
  void remove_conflicting_rules() {
    auto& rules = learned_.document.rules;
    const std::size_t own = rules.size() - rules_.size();
    for (auto found = find_tunnel_conflicts(learned_.document, 1); !found.empty(); found = find_tunnel_conflicts(learned_.document, 1)) {
      const auto& conflict = found.front();
      const bool tunnel_is_learned = conflict.tunnel >= own;
      if (!tunnel_is_learned && (conflict.with != TunnelConflict::With::rule || conflict.other < own)) break;  // the policy's own; compile() says so
      const auto index = static_cast<std::ptrdiff_t>(tunnel_is_learned ? conflict.tunnel : conflict.other);
      rules.erase(rules.begin() + index);
      learned_.comments.erase(learned_.comments.begin() + index);
    }
    learned_.rules = rules.size() - own;
  }

  // The result is asked about everything once more; nothing is claimed that it does not allow.
  void confirm() {
    const auto policy = Policy::compile(learned_.document);
    std::set<std::string_view> hosts;
    for (const auto& seen : taken_) {
      if (!policy) {
        leave_out(seen, policy.error().message);
        continue;
      }
      const auto decision = decide(*policy, seen);
      if (passes(decision)) {
        (is_connection(seen) ? learned_.connections : learned_.requests) += seen.count;
        hosts.insert(seen.host);
      } else if (is_connection(seen)) {
        leave_out(seen, "a credential or another rule needs to look into connections there");
      } else {
        leave_out(seen, decision.code == "no_rule" ? std::string("no rule can say it beside the policy's own rules")
                                                   : std::string(reason_for(decision.code)));
      }
    }
    learned_.hosts = hosts.size();
  }

  Learned learned_;
  std::map<RuleKey, Hosts> rules_;
  std::vector<Observation> taken_;
};

}  // namespace

Learned learn(const Document& policy, std::span<const Observation> observations) {
  return Learner(policy).learn(observations);
}

}  // namespace weir::policy
