// What must hold for any policy and any request, tried on random ones. Seeds are fixed, so a failure can be repeated.
#include <algorithm>
#include <random>

#include "policy/matching/host_index.h"
#include "policy/matching/path_glob.h"
#include "policy_testing.h"

namespace weir::policy {
namespace {

class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}
  std::size_t below(std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(engine_); }
  bool one_in(std::size_t n) { return below(n) == 0; }
  template <class Range>
  auto pick(const Range& range) {
    return *(std::begin(range) + static_cast<std::ptrdiff_t>(below(std::size(range))));
  }
  std::mt19937& engine() { return engine_; }

 private:
  std::mt19937 engine_;
};

// Small worlds, so that rules and requests meet often.
constexpr const char* kNames[] = {"a.com", "x.a.com", "y.x.a.com", "b.com", "com", "10.0.0.1", "::1"};
constexpr const char* kMethods[] = {"GET", "POST", "HEAD"};
constexpr const char* kPatterns[] = {"/", "/a", "/a/*", "/a/**", "/**/b", "/*/b", "/**", "/a*"};
constexpr const char* kPaths[] = {"/", "/a", "/a/b", "/a/c/b", "//", "/a%2Fb", "/..", "/b", "/ab"};
constexpr std::uint16_t kPorts[] = {443, 80, 8443};
constexpr const char* kNetworks[] = {"10.0.0.0/8", "fd00::/8", "192.168.0.0/16"};
constexpr Action kActions[] = {Action::allow, Action::log, Action::deny};

HostPattern random_host(Dice& dice) {
  HostPattern pattern;
  pattern.name = dice.pick(kNames);
  if (!is_ip_literal(pattern.name) && dice.one_in(3)) pattern.kind = HostPattern::Kind::below;
  if (dice.one_in(6)) pattern = {HostPattern::Kind::any, "", {}};
  if (dice.one_in(4)) pattern.port = dice.pick(kPorts);
  return pattern;
}

template <class T, class F>
std::vector<T> some(Dice& dice, std::size_t least, F&& one) {
  std::vector<T> values;
  for (std::size_t i = least + dice.below(3); i > 0; --i) values.push_back(one());
  return values;
}

Rule random_rule(Dice& dice, int number) {
  Rule rule;
  rule.name = "rule " + std::to_string(number);
  rule.action = dice.pick(kActions);
  rule.hosts = some<HostPattern>(dice, 1, [&] { return random_host(dice); });
  if (dice.one_in(4)) rule.ports = some<std::uint16_t>(dice, 1, [&] { return dice.pick(kPorts); });
  if (dice.one_in(2)) rule.methods = some<std::string>(dice, 1, [&] { return std::string(dice.pick(kMethods)); });
  if (dice.one_in(2)) rule.paths = some<std::string>(dice, 1, [&] { return std::string(dice.pick(kPatterns)); });
  if (!rule.paths.empty()) rule.encoded_slash = dice.one_in(2);
  if (rule.action != Action::deny)
    rule.addresses = some<std::string>(dice, 0, [&] { return std::string(dice.pick(kNetworks)); });
  rule.place = {"p.yaml", number, 1};
  return rule;
}

Document random_document(Dice& dice) {
  Document document;
  document.file = "p.yaml";
  document.default_action = dice.one_in(3) ? Action::log : Action::deny;
  const auto count = static_cast<int>(dice.below(8));
  for (int i = 0; i < count; ++i) document.rules.push_back(random_rule(dice, i + 1));
  if (dice.one_in(2))
    document.credentials.push_back({.name = "c",
                                    .from = "env:A",
                                    .hosts = {random_host(dice)},
                                    .inject = {Injection::Kind::header, "X", "{secret}", {}, {}, {}},
                                    .insecure = dice.one_in(2),
                                    .place = {}});
  if (dice.one_in(2))
    document.upstream.resolve.push_back(
        {"a.com", "127.0.0.1", dice.one_in(2) ? std::optional<std::uint16_t>(8443) : std::nullopt});
  document.limits.request_body = dice.below(1U << 30);
  return document;
}

struct RandomRequest {
  std::string host, method;
  CanonicalPath path;
  std::uint16_t port;
  Request request() const { return {"https", host, port, method, &path}; }
};

RandomRequest random_request(Dice& dice) {
  return {dice.pick(kNames), dice.pick(kMethods), canonical_path(dice.pick(kPaths)), dice.pick(kPorts)};
}

Policy compiled(Document document) {
  auto policy = Policy::compile(std::move(document));
  if (!policy) throw std::runtime_error(policy.error().message);
  return std::move(*policy);
}

// The meaning of policies, written down as plainly as possible.
Action by_definition(const Document& document, const RandomRequest& request) {
  std::optional<Action> strictest;
  for (const auto& rule : document.rules) {
    const bool destination = std::ranges::any_of(rule.hosts, [&](const HostPattern& pattern) {
      const bool suffix = request.host.size() > pattern.name.size() && request.host.ends_with("." + pattern.name) &&
                          !is_ip_literal(request.host);
      const bool name = pattern.kind == HostPattern::Kind::exact ? request.host == pattern.name
                        : pattern.kind == HostPattern::Kind::below
                            ? suffix
                            : !is_ip_literal(request.host) || rule.action == Action::deny;
      const bool port = pattern.port         ? *pattern.port == request.port
                        : rule.ports.empty() ? request.port == 443 || request.port == 80
                                             : std::ranges::find(rule.ports, request.port) != rule.ports.end();
      return name && port;
    });
    const bool method = rule.methods.empty() || std::ranges::find(rule.methods, request.method) != rule.methods.end();
    if (!destination || !method) continue;
    if (!rule.paths.empty()) {
      if (request.path.ambiguous || (request.path.encoded_slash && !rule.encoded_slash)) return Action::deny;
      if (std::ranges::none_of(rule.paths,
                               [&](const auto& p) { return PathGlob::compile(p)->matches(request.path.decoded); }))
        continue;
    }
    if (!strictest || rule.action > *strictest) strictest = rule.action;
  }
  return strictest.value_or(document.default_action);
}

constexpr int kPolicies = 1500;
constexpr int kRequests = 60;

TEST(Property, DecidesAsTheDefinitionSays) {
  for (unsigned seed = 0; seed < kPolicies; ++seed) {
    Dice dice(seed);
    const auto document = random_document(dice);
    const auto policy = compiled(document);
    for (int i = 0; i < kRequests; ++i) {
      const auto request = random_request(dice);
      ASSERT_EQ(policy.decide(request.request()).action, by_definition(document, request))
          << "seed " << seed << " request " << i;
    }
  }
}

TEST(Property, OrderOfRulesNeverMatters) {
  for (unsigned seed = 0; seed < kPolicies; ++seed) {
    Dice dice(seed);
    auto document = random_document(dice);
    const auto policy = compiled(document);
    std::ranges::shuffle(document.rules, dice.engine());
    const auto shuffled = compiled(document);
    for (int i = 0; i < kRequests; ++i) {
      const auto request = random_request(dice);
      const auto one = policy.decide(request.request()), other = shuffled.decide(request.request());
      ASSERT_EQ(one.action, other.action) << seed;
      ASSERT_EQ(one.code, other.code) << seed;
      ASSERT_EQ(one.rule == nullptr, other.rule == nullptr) << seed;
      ASSERT_EQ(policy.could_allow_host(request.host), shuffled.could_allow_host(request.host)) << seed;
      ASSERT_EQ(policy.named_addresses(request.host, request.port), shuffled.named_addresses(request.host, request.port))
          << seed;
    }
  }
}

TEST(Property, AnotherDenyRuleNeverAllowsMore) {
  for (unsigned seed = 0; seed < kPolicies; ++seed) {
    Dice dice(seed);
    auto document = random_document(dice);
    const auto before = compiled(document);
    auto rule = random_rule(dice, 99);
    rule.action = Action::deny;
    rule.addresses.clear();
    document.rules.insert(document.rules.begin() + static_cast<std::ptrdiff_t>(dice.below(document.rules.size() + 1)), rule);
    const auto after = compiled(document);
    for (int i = 0; i < kRequests; ++i) {
      const auto request = random_request(dice);
      ASSERT_GE(after.decide(request.request()).action, before.decide(request.request()).action) << seed;
      ASSERT_LE(after.could_allow_host(request.host), before.could_allow_host(request.host)) << seed;
      ASSERT_EQ(after.named_addresses(request.host, request.port), before.named_addresses(request.host, request.port))
          << seed;
    }
  }
}

TEST(Property, NoHostIsAllowedThatDnsWouldRefuse) {
  for (unsigned seed = 0; seed < kPolicies; ++seed) {
    Dice dice(seed);
    const auto policy = compiled(random_document(dice));
    for (int i = 0; i < kRequests; ++i) {
      const auto request = random_request(dice);
      const bool passes = policy.decide(request.request()).action != Action::deny;
      ASSERT_TRUE(!passes || policy.could_allow_host(request.host)) << seed;
    }
  }
}

TEST(Property, ExplainAgreesWithDecide) {
  for (unsigned seed = 0; seed < kPolicies; ++seed) {
    Dice dice(seed);
    const auto policy = compiled(random_document(dice));
    for (int i = 0; i < kRequests; ++i) {
      const auto request = random_request(dice);
      const auto decision = policy.decide(request.request());
      const auto misses = explain(policy, request.request());
      const auto strictest = std::ranges::max_element(
          misses, {}, [](const NearMiss& m) { return m.missed.empty() ? static_cast<int>(m.rule->action) : -1; });
      if (decision.code == "rule_denies" || decision.code.empty()) {
        if (decision.rule == nullptr) {
          ASSERT_TRUE(std::ranges::none_of(misses, [](const NearMiss& m) { return m.missed.empty(); })) << seed;
        } else {
          ASSERT_EQ(strictest->rule, decision.rule) << seed;
        }
      }
    }
  }
}

TEST(Property, DecodeGivesBackWhatEncodeWasGiven) {
  for (unsigned seed = 0; seed < kPolicies; ++seed) {
    Dice dice(seed);
    const auto document = random_document(dice);
    const auto decoded = decode(encode(document));
    ASSERT_TRUE(decoded) << seed;
    ASSERT_EQ(*decoded, document) << seed;
  }
}

}  // namespace
}  // namespace weir::policy
