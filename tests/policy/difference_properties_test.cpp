// What must hold for any two policies. Seeds are fixed, so a failure can be repeated.
#include "policy/difference.h"
#include "policy/formatting.h"
#include "policy_testing.h"
#include "random_documents.h"

namespace weir::policy {
namespace {

constexpr RandomKeys kKeys[] = {{.tunnels = false, .ask = true, .conditions = false, .limits = false},
                                {.tunnels = true, .ask = true, .conditions = false, .limits = true},
                                {.tunnels = true, .ask = true, .conditions = true, .limits = true}};

std::optional<Policy> compiled(Document document) {
  auto policy = Policy::compile(std::move(document));
  if (!policy) return std::nullopt;
  return std::move(*policy);
}

// A document like another: some rule gone, some rule new, or another altogether.
Document like(Dice& dice, const Document& document, const RandomKeys& keys) {
  if (dice.one_in(4)) return random_document(dice, keys);
  Document other = document;
  if (!other.rules.empty() && dice.one_in(2))
    other.rules.erase(other.rules.begin() + static_cast<std::ptrdiff_t>(dice.below(other.rules.size())));
  if (dice.one_in(2)) other.rules.push_back(random_rule(dice, 50, keys));
  if (!other.rules.empty() && dice.one_in(3)) {
    auto& rule = other.rules[dice.below(other.rules.size())];
    const auto fresh = random_rule(dice, 60, keys);
    if (!rule.is_tunnel() && !fresh.is_tunnel()) rule.paths = fresh.paths, rule.methods = fresh.methods;
  }
  if (!other.credentials.empty() && dice.one_in(3)) other.credentials.front() = random_credential(dice, other.credentials.front().name);
  if (!other.oauth.empty() && dice.one_in(3)) other.oauth.pop_back();
  if (dice.one_in(4)) other.leaks = static_cast<Leaks>(dice.below(4));
  return other;
}

SampleRequest random_request(Dice& dice) {
  using namespace random_documents;
  constexpr const char* kPathsAsked[] = {"/", "/a", "/a/b", "/a/c/b", "//", "/a%2Fb", "/..", "/b", "/ab", "/a%20b", "/x/y/"};
  SampleRequest request;
  request.host = dice.pick(kHosts);
  request.port = dice.pick(kPorts);
  request.method = dice.pick(kMethods);
  constexpr const char* kSchemes[] = {"https", "http", "https", "tls", "tcp"};
  request.scheme = dice.pick(kSchemes);
  request.canonical = canonical_path(dice.pick(kPathsAsked));
  for (const auto& name : dice.some(0, kNames)) request.query.push_back({name, dice.some(1, kGlobs)});
  for (const auto& name : dice.some(0, kHeaders)) request.headers.push_back({name, dice.some(1, kGlobs)});
  constexpr const char* kSent[] = {"application/json", "image/png", "text/x+json", "nonsense"};
  if (dice.one_in(2)) request.headers.push_back({"Content-Type", {dice.pick(kSent)}});
  request.unsound_query = dice.one_in(10);
  request.websocket = dice.one_in(4);
  request.now = 1'700'000'000 + static_cast<std::int64_t>(dice.below(6'000'000));
  request.process = dice.some(0, std::vector<std::string>{"/usr/bin/git", "/usr/lib/git-core/x", "/bin/sh"});
  request.has_body = true;
  const auto reading = [&](bool rpc) -> Reading {
    if (dice.one_in(3)) return {};
    if (dice.one_in(4)) return {Reading::State::unreadable, {}, {}};
    Reading read{Reading::State::read, {}, {}};
    for (std::size_t i = dice.below(3); i > 0; --i) {
      const char* const kCalls[] = {"tools/call", "initialize", "eth_getx", "", "notifications/y"};
      const std::string field = dice.one_in(2) ? "viewer" : dice.one_in(2) ? "repox" : "q";
      if (rpc) {
        const std::string kind = dice.pick(kCalls);
        read.operations.push_back({kind, kind == "tools/call" ? field : ""});
      } else {
        read.operations.push_back({dice.pick(kOperations), field});
      }
    }
    return read;
  };
  request.body = {reading(false), reading(true)};
  return request;
}

bool differ(const Policy& a, const Policy& b, const SampleRequest& sample) {
  return sample.with_request(
      [&](const Request& request) { return !verdict_of(a, request).same_as(verdict_of(b, request)); });
}

std::string all(const Difference& difference) {
  std::string text;
  for (const auto& change : difference.changes) text += describe(change) + "\n";
  for (const auto& bound : difference.bounds) text += "bound: " + bound + "\n";
  return text;
}

bool has_requests(const Difference& difference) {
  return std::ranges::any_of(difference.changes, [](const Change& c) { return c.subject == Change::Subject::requests; });
}

TEST(DifferenceProperty, IsEmptyBetweenAPolicyAndItself) {
  for (unsigned seed = 0; seed < 400; ++seed) {
    Dice dice(seed);
    auto document = random_document(dice, kKeys[seed % 3]);
    const auto policy = compiled(document);
    if (!policy) continue;
    ASSERT_EQ(all(compare(*policy, *policy)), "") << seed;
    std::ranges::shuffle(document.rules, dice.engine());
    const auto shuffled = compiled(document);
    ASSERT_EQ(all(compare(*policy, *shuffled)), "") << seed;
  }
}

TEST(DifferenceProperty, IsEmptyAfterFormatting) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    Dice dice(seed);
    const auto loaded = load_text(to_yaml(loadable_document(dice)), "/p.yaml");
    const auto again = load_text(format_text(to_yaml(loaded.document), "/p.yaml").text, "/p.yaml");
    ASSERT_EQ(all(compare(*compiled(loaded.document), *compiled(again.document))), "") << seed;
  }
}

TEST(DifferenceProperty, SeesEveryDifferenceThatARequestSees) {
  int differences = 0, pairs = 0, bounded = 0;
  for (unsigned seed = 0; seed < 200; ++seed) {
    Dice dice(seed);
    const auto& keys = kKeys[seed % 3];
    const auto first = random_document(dice, keys), second = like(dice, first, keys);
    const auto a = compiled(first), b = compiled(second);
    if (!a || !b) continue;
    const auto difference = compare(*a, *b);
    ++pairs;
    bounded += difference.bounds.empty() ? 0 : 1;
    for (const auto& change : difference.changes) {
      if (change.subject != Change::Subject::requests) continue;
      ASSERT_TRUE(change.example && differ(*a, *b, *change.example))
          << seed << " " << describe(change) << change.example->url();
    }
    if (!difference.bounds.empty()) continue;
    for (int i = 0; i < 300; ++i) {
      const auto request = random_request(dice);
      if (!differ(*a, *b, request)) continue;
      ++differences;
      ASSERT_TRUE(has_requests(difference)) << "seed " << seed << " " << request.url() << "\n"
                                            << to_yaml(first) << to_yaml(second);
    }
  }
  EXPECT_GT(differences, 1000);
  EXPECT_LT(bounded * 5, pairs) << "too many policies are only looked at in part";
}

TEST(DifferenceProperty, MirrorsWhenTurnedRound) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    Dice dice(seed);
    const auto& keys = kKeys[seed % 3];
    const auto first = random_document(dice, keys);
    const auto a = compiled(first), b = compiled(like(dice, first, keys));
    if (!a || !b) continue;
    const auto there = compare(*a, *b), back = compare(*b, *a);
    if (!there.bounds.empty()) continue;
    // How requests are put together into lines depends on the order of the rules; what there is does not.
    const auto has = [](const Difference& difference, Change::Kind kind) {
      std::set<Change::Subject> subjects;
      for (const auto& change : difference.changes)
        if (change.kind == kind) subjects.insert(change.subject);
      return subjects;
    };
    using enum Change::Kind;
    ASSERT_EQ(has(there, opened), has(back, closed)) << seed << "\n" << all(there) << all(back);
    ASSERT_EQ(has(there, closed), has(back, opened)) << seed << "\n" << all(there) << all(back);
    ASSERT_EQ(has(there, changed), has(back, changed)) << seed << "\n" << all(there) << all(back);
  }
}

TEST(DifferenceProperty, ShowsAnotherDenialAsClosedOnly) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    Dice dice(seed);
    const auto& keys = kKeys[seed % 3];
    auto document = random_document(dice, keys);
    const auto before = compiled(document);
    auto rule = random_rule(dice, 99, keys);
    rule.action = Action::deny;
    rule.addresses.clear();
    rule.rate.reset();
    rule.body_max.reset();
    document.rules.push_back(rule);
    const auto after = compiled(document);
    if (!before || !after) continue;
    for (const auto& change : compare(*before, *after).changes)
      ASSERT_EQ(change.kind, Change::Kind::closed) << seed << " " << describe(change);
  }
}

}  // namespace
}  // namespace weir::policy
