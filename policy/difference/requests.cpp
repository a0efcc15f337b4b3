#include "policy/difference/requests.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <span>
#include <tuple>
#include <utility>

#include "policy/difference/boxes.h"
#include "policy/difference/reach.h"
#include "policy/difference/words.h"
#include "policy/document.h"
#include "policy/formatting/written.h"

namespace weir::policy {

namespace {

// Requests asked about: of one place, and of all. Beyond them a random part stands for the whole, and the reader is told.
constexpr std::size_t kMaxAtOnePlace = 60'000;
constexpr std::size_t kMaxAtAll = 600'000;
constexpr std::size_t kFewAtOnePlace = 1'000;

std::string text_of(const Verdict& verdict) {
  std::string text(name_of(verdict.action));
  if (verdict.action == Action::deny) return text;
  if (verdict.body_max != std::numeric_limits<std::uint64_t>::max())
    text += ", body up to " + written_size(verdict.body_max);
  for (const auto& rate : verdict.rates) text += ", " + written(rate);
  return text;
}

int compare_rates(const std::vector<Rate>& a, const std::vector<Rate>& b, bool& comparable) {
  const auto less = [](const Rate& x, const Rate& y) {
    return std::pair(x.seconds, x.count) < std::pair(y.seconds, y.count);
  };
  if (a == b) return 0;
  if (std::ranges::includes(a, b, less)) return 1;  // fewer rates: more passes
  if (std::ranges::includes(b, a, less)) return -1;
  // One rate against one of the same length of time.
  if (a.size() == 1 && b.size() == 1 && a[0].seconds == b[0].seconds) return b[0].count > a[0].count ? 1 : -1;
  comparable = false;
  return 0;
}

Change::Kind kind_of(const Verdict& a, const Verdict& b) {
  const auto strictness = [](Action action) { return action == Action::deny ? 2 : action == Action::ask ? 1 : 0; };
  const int by_action = strictness(a.action) - strictness(b.action);
  if (by_action != 0) return by_action > 0 ? Change::Kind::opened : Change::Kind::closed;
  if (a.action != b.action) return Change::Kind::changed;
  bool comparable = true;
  const int by_body = b.body_max > a.body_max ? 1 : b.body_max < a.body_max ? -1 : 0;
  const int by_rate = compare_rates(a.rates, b.rates, comparable);
  if (!comparable || by_body * by_rate < 0) return Change::Kind::changed;
  return by_body + by_rate > 0 ? Change::Kind::opened : Change::Kind::closed;
}

struct Outcome {
  Change::Kind kind;
  std::string from, to;
  const Rule* rule_a;
  const Rule* rule_b;
  std::string why_a, why_b;
  auto key() const { return std::tie(kind, from, to, rule_a, rule_b, why_a, why_b); }
  bool operator<(const Outcome& other) const { return key() < other.key(); }
};

using Found = std::map<Outcome, std::vector<Box>>;

// The same as seen request by request: nothing is put into words until all have been asked about.
using Picks = std::vector<std::uint32_t>;  // for each dimension a value
struct BothVerdicts {
  Verdict a, b;
  auto key() const { return std::tie(a.action, b.action, a.rule, b.rule, a.code, b.code, a.body_max, b.body_max); }
  bool operator<(const BothVerdicts& other) const {
    if (key() != other.key()) return key() < other.key();
    const auto less = [](const std::vector<Rate>& x, const std::vector<Rate>& y) {
      return std::ranges::lexicographical_compare(x, y, {}, as_pair, as_pair);
    };
    return less(a.rates, other.a.rates) || (a.rates == other.a.rates && less(b.rates, other.b.rates));
  }
  static std::pair<std::uint32_t, std::uint32_t> as_pair(const Rate& rate) { return {rate.seconds, rate.count}; }
};
using Seen = std::map<BothVerdicts, std::vector<Picks>>;

class Comparison {
 public:
  Comparison(const Policy& a, const Policy& b, std::vector<std::string>& bounds) : a_(a), b_(b), bounds_(bounds) {}

  // Asks about every request that lies within one of `reaches`; about every one at all when there are none.
  Found look(const Destination& destination, const std::vector<Dimension>& dimensions, const std::vector<Reach>& reaches) {
    Seen seen;
    if (reaches.empty()) look_within(destination, dimensions, nullptr, {}, seen);
    for (std::size_t i = 0; i < reaches.size(); ++i)
      look_within(destination, dimensions, &reaches[i], std::span(reaches).first(i), seen);
    Found found;
    for (auto& [verdicts, all] : seen) {
      const auto& [a, b] = verdicts;
      std::ranges::sort(all);
      all.erase(std::ranges::unique(all).begin(), all.end());
      auto& boxes = found[{kind_of(a, b), text_of(a), text_of(b), a.rule, b.rule, std::string(a.code), std::string(b.code)}];
      for (const auto& picks : all) {
        Box& box = boxes.emplace_back();
        for (const auto value : picks) box.push_back({value});
      }
    }
    return found;
  }

  static SampleRequest start(const Destination& destination) {
    SampleRequest request;
    request.host = destination.host;
    request.port = destination.port;
    request.scheme = destination.port == 80 ? "http" : "https";
    request.canonical = canonical_path("/");
    return request;
  }

 private:
  void look_within(const Destination& destination, const std::vector<Dimension>& dimensions, const Reach* reach,
                   std::span<const Reach> done, Seen& seen) {
    std::vector<std::vector<std::uint32_t>> choices(dimensions.size());
    std::size_t product = 1;
    for (std::size_t d = 0; d < dimensions.size(); ++d) {
      for (std::uint32_t value = 0; value < dimensions[d].values.size(); ++value)
        if (reach == nullptr || (*reach)[d][value]) choices[d].push_back(value);
      if (choices[d].empty()) return;
      product = product > kMaxAtAll ? product : product * choices[d].size();
    }
    const std::size_t allowed = asked_ < kMaxAtAll ? kMaxAtOnePlace : kFewAtOnePlace;
    SampleRequest request = start(destination);
    Picks at(dimensions.size(), 0);
    const auto pick = [&](std::size_t d, std::size_t choice) {
      at[d] = static_cast<std::uint32_t>(choice);
      dimensions[d].values[choices[d][choice]].apply(request);
    };
    Picks picks(dimensions.size());
    const auto ask_here = [&] {
      for (std::size_t d = 0; d < dimensions.size(); ++d) picks[d] = choices[d][at[d]];
      const bool was_asked = std::ranges::any_of(done, [&](const Reach& other) {
        for (std::size_t d = 0; d < picks.size(); ++d)
          if (!other[d][picks[d]]) return false;
        return true;
      });
      if (!was_asked) ask(request, picks, seen);
    };
    for (std::size_t d = 0; d < dimensions.size(); ++d) pick(d, 0);
    if (product > allowed) {
      add_bound(bounds_, fmt::format("there are more combinations of conditions at {} than the {} that were tried",
                                     destination.host_label, allowed));
      std::mt19937 dice(1);  // the same every time
      for (std::size_t i = 0; i < allowed; ++i) {
        for (std::size_t d = 0; d < dimensions.size(); ++d)
          pick(d, std::uniform_int_distribution<std::size_t>(0, choices[d].size() - 1)(dice));
        ask_here();
      }
      return;
    }
    while (true) {
      ask_here();
      std::size_t d = 0;
      for (; d < dimensions.size(); ++d) {
        const bool carry = at[d] + 1 == choices[d].size();
        pick(d, carry ? 0 : at[d] + 1);
        if (!carry) break;
      }
      if (d == dimensions.size()) return;
    }
  }

  void ask(const SampleRequest& sample, const Picks& picks, Seen& seen) {
    ++asked_;
    sample.with_request([&](const Request& request) {
      BothVerdicts verdicts{verdict_of(a_, request), verdict_of(b_, request)};
      if (!verdicts.a.same_as(verdicts.b)) seen[std::move(verdicts)].push_back(picks);
    });
  }

  const Policy& a_;
  const Policy& b_;
  std::vector<std::string>& bounds_;
  std::size_t asked_ = 0;
};

Change change_of(const Outcome& outcome, const Box& box, const std::vector<Dimension>& dimensions) {
  Change change;
  change.kind = outcome.kind;
  change.from = outcome.from;
  change.to = outcome.to;
  if (outcome.rule_a != nullptr) change.rule_a = outcome.rule_a->name;
  if (outcome.rule_b != nullptr) change.rule_b = outcome.rule_b->name;
  change.why_a = outcome.why_a;
  change.why_b = outcome.why_b;
  for (std::size_t d = 0; d < dimensions.size(); ++d) {
    auto [words, but, like, but_like] = words_for(dimensions[d], box[d]);
    switch (dimensions[d].kind) {
      case Dimension::Kind::scheme:
        change.schemes = words;
        if (words.empty())
          for (const auto& value : dimensions[d].values) change.schemes.push_back(value.label);
        break;
      case Dimension::Kind::method:
        if (!but.empty()) words.push_back(fmt::format("any but {}", fmt::join(but, ", ")));
        change.methods = words;
        break;
      case Dimension::Kind::path:
        change.paths = words;
        change.paths_but = but;
        change.paths_like = like;
        change.paths_but_like = but_like;
        break;
      case Dimension::Kind::condition:
        if (!but.empty()) words.push_back(fmt::format("not {}", fmt::join(but, ", ")));
        if (!words.empty()) change.conditions.emplace_back(dimensions[d].name, words);
        break;
    }
  }
  return change;
}

// What makes two changes one, wherever they are seen.
auto key_of(const Change& change) {
  return std::make_tuple(change.kind, change.from, change.to, change.schemes, change.methods, change.paths, change.paths_but,
                         change.paths_like, change.paths_but_like, change.conditions, change.rule_a, change.rule_b,
                         change.why_a, change.why_b);
}
using ChangeKey = decltype(key_of(std::declval<const Change&>()));

// Rules that only one of the two has: where none of them has a say, nothing has changed.
RuleList changed_rules(const RuleList& a, const RuleList& b) {
  std::vector<std::pair<Rule, const Rule*>> left;
  for (const auto* rule : a) left.emplace_back(conditions_of(*rule), rule);
  RuleList changed;
  for (const auto* rule : b) {
    const auto found = std::ranges::find(left, conditions_of(*rule), &std::pair<Rule, const Rule*>::first);
    if (found == left.end())
      changed.push_back(rule);
    else
      left.erase(found);
  }
  for (const auto& [conditions, rule] : left) changed.push_back(rule);
  return changed;
}

}  // namespace

Rule conditions_of(const Rule& rule) {
  Rule conditions = rule;
  conditions.name.clear();
  conditions.place = {};
  conditions.hosts.clear();
  conditions.ports.clear();
  conditions.addresses.clear();
  for (auto* list : {&conditions.methods, &conditions.paths, &conditions.content_types, &conditions.process})
    std::ranges::sort(*list);
  if (conditions.graphql) std::ranges::sort(conditions.graphql->operations), std::ranges::sort(conditions.graphql->fields);
  if (conditions.rpc) std::ranges::sort(conditions.rpc->methods), std::ranges::sort(conditions.rpc->tools);
  return conditions;
}

void set_destinations(const std::vector<Destination>& seen, const Destinations& all, const Change& like,
                      std::vector<Change>& out) {
  std::map<std::string, std::vector<std::string>> ports_of_host;
  std::vector<std::string> order;
  for (const auto& one : seen) {
    auto& ports = ports_of_host[one.host_label];
    if (ports.empty()) order.push_back(one.host_label);
    if (std::ranges::find(ports, one.port_label) == ports.end()) ports.push_back(one.port_label);
  }
  std::vector<std::pair<std::vector<std::string>, std::vector<std::string>>> groups;  // ports with hosts
  for (const auto& host : order) {
    auto ports = ports_of_host[host];
    std::ranges::sort(ports);
    const auto group =
        std::ranges::find(groups, ports, &std::pair<std::vector<std::string>, std::vector<std::string>>::first);
    if (group == groups.end())
      groups.push_back({std::move(ports), {host}});
    else
      group->second.push_back(host);
  }
  for (auto& [ports, hosts] : groups) {
    Change change = like;
    change.hosts = hosts;
    change.ports = ports;
    if (ports.size() == all.port_labels.size()) change.ports = {"any"};
    if (ports == std::vector<std::string>{"443", "80"}) change.ports.clear();
    const auto first = std::ranges::find_if(seen, [&](const Destination& one) {
      return one.host_label == hosts.front() && std::ranges::find(ports, one.port_label) != ports.end();
    });
    if (change.example) {
      const bool tunnel = change.example->scheme == "tcp" || change.example->scheme == "tls";
      change.example->host = first->host;
      change.example->port = first->port;
      if (!tunnel && change.schemes.empty()) change.example->scheme = first->port == 80 ? "http" : "https";
    }
    out.push_back(std::move(change));
  }
}

void compare_requests(const Policy& a, const Policy& b, const Destinations& destinations, Difference& difference) {
  Comparison comparison(a, b, difference.bounds);
  // The same change at several places is one change.
  std::vector<std::pair<Change, std::vector<Destination>>> seen;
  std::map<ChangeKey, std::size_t> index;
  for (const auto& place : destinations.classes) {
    const bool same_default = a.document().default_action == b.document().default_action;
    const auto changed = changed_rules(place.rules_a, place.rules_b);
    if (same_default && changed.empty()) continue;
    RuleList rules = place.rules_a;
    rules.insert(rules.end(), place.rules_b.begin(), place.rules_b.end());
    const auto& sample = place.members.front();
    std::vector<std::vector<Dimension>> looks{request_dimensions(rules, difference.bounds)};
    const bool carries_by_default =
        a.document().default_action != Action::deny || b.document().default_action != Action::deny;
    if (carries_by_default || std::ranges::any_of(rules, &Rule::is_tunnel))
      looks.push_back(tunnel_dimensions(rules, difference.bounds));
    // A rule that opens a tunnel changes what all the others mean there.
    const bool by_reach = same_default && std::ranges::none_of(changed, &Rule::is_tunnel);
    for (const auto& dimensions : looks) {
      std::vector<Reach> reaches;
      for (const auto* rule : changed)
        if (by_reach && &dimensions == &looks.front())
          reaches.push_back(reach_of(*rule, dimensions, Comparison::start(sample)));
      for (auto& [outcome, boxes] : comparison.look(sample, dimensions, reaches)) {
        for (const auto& box : joined(std::move(boxes))) {
          auto change = change_of(outcome, box, dimensions);
          change.example = Comparison::start(sample);
          for (std::size_t d = 0; d < dimensions.size(); ++d) dimensions[d].values[box[d].front()].apply(*change.example);
          const auto [known, is_new] = index.emplace(key_of(change), seen.size());
          if (is_new) seen.emplace_back(std::move(change), std::vector<Destination>{});
          auto& where = seen[known->second].second;
          where.insert(where.end(), place.members.begin(), place.members.end());
        }
      }
    }
  }
  for (const auto& [change, where] : seen) set_destinations(where, destinations, change, difference.changes);
}

Difference compare(const Policy& a, const Policy& b) {
  Difference difference;
  const auto destinations = destinations_of(a.document(), b.document());
  compare_requests(a, b, destinations, difference);
  compare_settings(a, b, destinations, difference);
  std::ranges::stable_sort(difference.changes, {},
                           [](const Change& change) { return std::pair(change.subject, change.kind); });
  return difference;
}

}  // namespace weir::policy
