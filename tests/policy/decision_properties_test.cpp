// The whole language against its definition, written down a second time as plainly as possible and straight from the document; and
// what must hold for any policy and request. Seeds are fixed, so a failure can be repeated.
#include <map>

#include "policy/matching/path_glob.h"
#include "policy/matching/time_window.h"
#include "policy_testing.h"
#include "random_documents.h"

namespace weir::policy {
namespace {

// Also on words with a `*` of their own; exponential, and short.
bool glob_matches(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') return glob_matches(pattern.substr(1), text) || (!text.empty() && glob_matches(pattern, text.substr(1)));
  return !text.empty() && pattern[0] == text[0] && glob_matches(pattern.substr(1), text.substr(1));
}

struct RandomRequest {
  std::string scheme, host, method, query;
  std::uint16_t port = 443;
  CanonicalPath path;
  std::vector<std::pair<std::string, std::string>> header_texts;
  std::vector<HeaderField> headers;
  bool websocket = false;
  std::optional<std::uint64_t> body_size;
  Body body;
  std::int64_t now = 0;
  std::vector<std::string> process;

  Request request() const {
    Request request;
    request.scheme = scheme;
    request.host = host;
    request.port = port;
    request.method = method;
    request.path = &path;
    request.query = query;
    request.headers = headers;
    request.websocket = websocket;
    request.body_size = body_size;
    request.body = &body;
    request.now = now;
    request.process = process;
    return request;
  }
};

Reading random_reading(Dice& dice, bool rpc) {
  Reading reading;
  if (dice.one_in(3)) return reading;
  if (dice.one_in(5)) return {Reading::State::unreadable, {}, "broken"};
  reading.state = Reading::State::read;
  constexpr const char* kCalls[] = {"initialize", "tools/call", "eth_getBalance", "notifications/x", ""};
  constexpr const char* kKinds[] = {"query", "mutation", "subscription"};
  constexpr const char* kFieldNames[] = {"viewer", "repository", "other"};
  for (std::size_t i = 1 + dice.below(3); i > 0; --i)
    reading.operations.push_back(rpc ? Operation{dice.pick(kCalls), dice.pick(kFieldNames)} : Operation{dice.pick(kKinds), dice.pick(kFieldNames)});
  if (rpc)
    for (auto& operation : reading.operations)
      if (operation.kind != "tools/call") operation.name.clear();
  return reading;
}

std::unique_ptr<RandomRequest> random_request(Dice& dice) {
  using namespace random_documents;
  constexpr const char* kSchemes[] = {"https", "https", "https", "http", "tls", "tcp"};
  constexpr const char* kQueries[] = {"", "service=a", "service=1&page=1", "service=1&service=data-x", "q=;service=1", "on=%zz", "q=yes&page=null"};
  constexpr const char* kTargets[] = {"/", "/a", "/a/b", "/a/c/b", "//", "/a%2Fb", "/..", "/b", "/ab"};
  constexpr const char* kValues[] = {"1", "a", "data-x", "yes", "application/json", "image/png"};
  constexpr const char* kAllHeaders[] = {"X-Team", "accept", "x-1", "Content-Type", "content-type"};
  constexpr const char* kExecutables[] = {"/usr/bin/git", "/usr/lib/git-core/git-remote-https", "/bin/sh"};
  auto made = std::make_unique<RandomRequest>();
  made->scheme = dice.pick(kSchemes);
  made->host = dice.pick(kHosts);
  made->port = dice.pick(kPorts);
  made->method = dice.pick(kMethods);
  made->query = dice.pick(kQueries);
  made->path = canonical_path(dice.pick(kTargets));
  for (std::size_t i = dice.below(4); i > 0; --i) made->header_texts.emplace_back(dice.pick(kAllHeaders), dice.pick(kValues));
  for (const auto& [name, value] : made->header_texts) made->headers.push_back({name, value});
  made->websocket = dice.one_in(6);
  constexpr std::uint64_t kSizes[] = {0, 1, 1000, 1025};
  if (!dice.one_in(4)) made->body_size = dice.pick(kSizes);
  made->body = {random_reading(dice, false), random_reading(dice, true)};
  made->now = 1'700'000'000 + static_cast<std::int64_t>(dice.below(100'000)) * 61;
  for (std::size_t i = dice.below(3); i > 0; --i) made->process.push_back(dice.pick(kExecutables));
  return made;
}

enum class Truth { no, yes, doubt };

Truth both(Truth a, Truth b) {
  if (a == Truth::no || b == Truth::no) return Truth::no;
  return a == Truth::doubt || b == Truth::doubt ? Truth::doubt : Truth::yes;
}

Truth repeated(const std::vector<std::string>& values, const std::string& glob) {
  const auto matching = std::ranges::count_if(values, [&](const auto& value) { return glob_matches(glob, value); });
  if (matching == 0) return Truth::no;
  return matching == std::ssize(values) ? Truth::yes : Truth::doubt;
}

bool port_matches(const Rule& rule, const HostPattern& pattern, std::uint16_t port) {
  if (pattern.port) return *pattern.port == port;
  return rule.ports.empty() ? port == 443 || port == 80 : std::ranges::find(rule.ports, port) != rule.ports.end();
}

bool place_matches(const Rule& rule, const RandomRequest& request) {
  return std::ranges::any_of(rule.hosts, [&](const HostPattern& pattern) {
    const bool literal = is_ip_literal(request.host);
    const bool name = pattern.kind == HostPattern::Kind::exact   ? request.host == pattern.name
                      : pattern.kind == HostPattern::Kind::below ? !literal && request.host.ends_with("." + pattern.name)
                                                                 : !literal || rule.action == Action::deny;
    return name && port_matches(rule, pattern, request.port);
  });
}

// One operation of the body, or none; `rpc` says of which format it is.
struct Member {
  const Operation* operation = nullptr;
  bool rpc = false;
};

Truth body_holds(const Rule& rule, const RandomRequest& request, const Member& member) {
  if (!rule.graphql && !rule.rpc) return Truth::yes;
  const bool rpc = rule.rpc.has_value();
  const Reading& reading = rpc ? request.body.rpc : request.body.graphql;
  if (reading.state == Reading::State::absent) return Truth::no;
  if (reading.state == Reading::State::unreadable) return Truth::doubt;
  if (member.operation == nullptr || member.rpc != rpc) return Truth::no;
  const auto in = [](const std::vector<std::string>& globs, const std::string& text) {
    return std::ranges::any_of(globs, [&](const auto& glob) { return glob_matches(glob, text); });
  };
  const auto& [kind, name] = *member.operation;
  if (rpc) {
    const bool call = kind == "tools/call";
    if (!rule.rpc->methods.empty() && !in(rule.rpc->methods, kind)) return Truth::no;
    if (rule.rpc->methods.empty() && !rule.rpc->tools.empty() && !call) return Truth::no;
    return !call || rule.rpc->tools.empty() || in(rule.rpc->tools, name) ? Truth::yes : Truth::no;
  }
  const auto& operations = rule.graphql->operations;
  if (!operations.empty() && std::ranges::find(operations, kind) == operations.end()) return Truth::no;
  return rule.graphql->fields.empty() || in(rule.graphql->fields, name) ? Truth::yes : Truth::no;
}

Truth rule_holds(const Rule& rule, const RandomRequest& request, const std::string& scheme, const Member& member) {
  if (!place_matches(rule, request)) return Truth::no;
  const bool tunnel = scheme == "tcp" || scheme == "tls";
  Truth truth = Truth::yes;
  if (!rule.when.empty() && std::ranges::none_of(rule.when, [&](const auto& window) { return holds(window, request.now); })) return Truth::no;
  if (!rule.process.empty()) {
    const auto listed = [&](const std::string& executable) {
      return std::ranges::any_of(rule.process, [&](const auto& glob) { return PathGlob::compile(glob)->matches(executable); });
    };
    const bool yes = rule.action == Action::deny ? std::ranges::any_of(request.process, listed) : std::ranges::all_of(request.process, listed);
    truth = both(truth, request.process.empty() ? Truth::doubt : yes ? Truth::yes : Truth::no);
  }
  if (tunnel) {
    const bool opens = rule.tcp || (rule.passthrough && scheme == "tls");
    if (!opens && rule.action < Action::ask) return Truth::no;
    return both(truth, rule.looks_inside() ? Truth::doubt : Truth::yes);
  }
  if ((rule.tcp && rule.action != Action::deny) || rule.passthrough) return Truth::no;
  if (rule.websocket ? *rule.websocket != request.websocket : request.websocket && rule.action != Action::deny) return Truth::no;
  if (!rule.methods.empty() && std::ranges::find(rule.methods, request.method) == rule.methods.end()) return Truth::no;
  if (!rule.paths.empty()) {
    if (request.path.ambiguous || (request.path.encoded_slash && !rule.encoded_slash))
      truth = both(truth, Truth::doubt);
    else if (std::ranges::none_of(rule.paths, [&](const auto& p) { return PathGlob::compile(p)->matches(request.path.decoded); }))
      return Truth::no;
  }
  const auto query = parse_query(request.query);
  for (const auto& [name, glob] : rule.query) {
    std::vector<std::string> values;
    for (const auto& [given, value] : query.parameters)
      if (given == name) values.push_back(value);
    truth = both(truth, query.sound ? repeated(values, glob) : Truth::doubt);
  }
  std::vector<std::string> types;
  for (const auto& [name, value] : request.header_texts)
    if (name == "content-type" || name == "Content-Type") types.push_back(value);
  for (const auto& [name, glob] : rule.headers) {
    std::vector<std::string> values;
    for (const auto& [given, value] : request.header_texts)
      if (given == name || (given == "X-Team" && name == "x-team")) values.push_back(value);
    truth = both(truth, repeated(values, glob));
  }
  if (!rule.content_types.empty()) {
    if (types.empty()) return Truth::no;
    if (types.size() > 1 || types[0].find('/') == std::string::npos) {
      truth = both(truth, Truth::doubt);
    } else {
      const bool in = std::ranges::any_of(rule.content_types, [&](const auto& glob) { return glob_matches(glob, types[0]); });
      if (!in) return Truth::no;
    }
  }
  return both(truth, body_holds(rule, request, member));
}

Action by_definition(const Document& document, const RandomRequest& request) {
  std::string scheme = request.scheme;
  bool tcp = false, passthrough = false;
  for (const auto& rule : document.rules) {
    if (rule.action == Action::deny || !place_matches(rule, request)) continue;
    tcp = tcp || rule.tcp;
    passthrough = passthrough || rule.passthrough;
  }
  if (tcp) scheme = "tcp";
  if (!tcp && passthrough && scheme == "https") scheme = "tls";

  const auto verdict_on = [&](const Member& member) {
    std::optional<Action> strictest;
    bool doubt = false, too_large = false;
    for (const auto& rule : document.rules) {
      const Truth truth = rule_holds(rule, request, scheme, member);
      doubt = doubt || truth == Truth::doubt;
      if (truth != Truth::yes) continue;
      strictest = std::max(strictest.value_or(rule.action), rule.action);
      too_large = too_large || (rule.body_max && request.body_size && *request.body_size > *rule.body_max);
    }
    return doubt || too_large ? Action::deny : strictest.value_or(document.default_action);
  };
  if (scheme == "tcp" || scheme == "tls") return verdict_on({});
  // A format counts where some rule would read it, were its operations not to say otherwise.
  const auto in_play = [&](bool rpc) {
    return std::ranges::any_of(document.rules, [&](Rule rule) {
      if (rpc ? !rule.rpc : !rule.graphql) return false;
      rule.rpc.reset();
      rule.graphql.reset();
      return rule_holds(rule, request, scheme, {}) != Truth::no;
    });
  };
  std::optional<Action> strictest;
  for (const bool rpc : {false, true}) {
    const Reading& reading = rpc ? request.body.rpc : request.body.graphql;
    if (reading.state != Reading::State::read || !in_play(rpc)) continue;
    for (const auto& operation : reading.operations) strictest = std::max(strictest.value_or(Action::allow), verdict_on({&operation, rpc}));
  }
  return strictest.value_or(verdict_on({}));
}

constexpr unsigned kPolicies = 3000;
constexpr int kRequests = 40;

// The documents that compile: some random ones contradict themselves.
template <class Try>
void for_each_policy(Try&& with) {
  std::size_t used = 0;
  for (unsigned seed = 0; seed < kPolicies; ++seed) {
    Dice dice(seed);
    auto document = random_document(dice);
    document.upstream = {};
    auto policy = Policy::compile(document);
    if (!policy) continue;
    ++used;
    with(seed, dice, document, *policy);
    if (testing::Test::HasFatalFailure()) return;
  }
  ASSERT_GT(used, kPolicies / 3);
}

TEST(WholeLanguage, DecidesAsTheDefinitionSays) {
  std::map<std::string, int> codes;
  for_each_policy([&](unsigned seed, Dice& dice, const Document& document, const Policy& policy) {
    for (int i = 0; i < kRequests; ++i) {
      const auto request = random_request(dice);
      const auto decision = policy.decide(request->request());
      ++codes[decision.code.empty() ? std::string(name_of(decision.action)) : std::string(decision.code)];
      ASSERT_FALSE(decision.needs_body);
      ASSERT_EQ(decision.action, by_definition(document, *request)) << "seed " << seed << " request " << i << " code " << decision.code;
    }
  });
  // The worlds are small enough that every way to decide was met.
  for (const char* code : {"allow", "log", "ask", "no_rule", "rule_denies", "path_ambiguous", "encoded_slash", "query_ambiguous", "header_ambiguous",
                           "content_type_ambiguous", "body_too_large", "body_unreadable", "process_unknown", "not_inspected"})
    EXPECT_GT(codes[code], 0) << code;
}

TEST(WholeLanguage, OrderOfRulesNeverMatters) {
  for_each_policy([&](unsigned seed, Dice& dice, Document document, const Policy& policy) {
    std::ranges::shuffle(document.rules, dice.engine());
    const auto shuffled = Policy::compile(document);
    ASSERT_TRUE(shuffled);
    for (int i = 0; i < kRequests; ++i) {
      const auto request = random_request(dice);
      const auto one = policy.decide(request->request()), other = shuffled->decide(request->request());
      ASSERT_EQ(one.action, other.action) << seed;
      ASSERT_EQ(one.body_max, other.body_max) << seed;
      ASSERT_EQ(one.rates.size(), other.rates.size()) << seed;
    }
  });
}

TEST(WholeLanguage, AnotherRuleThatDeniesNeverAllowsMore) {
  for_each_policy([&](unsigned seed, Dice& dice, Document document, const Policy& policy) {
    auto rule = random_rule(dice, 99, {.tunnels = false, .limits = false});
    rule.action = Action::deny;
    rule.addresses.clear();
    rule.body_max.reset();
    rule.rate.reset();
    document.rules.push_back(rule);
    const auto narrower = Policy::compile(document);
    if (!narrower) return;
    for (int i = 0; i < kRequests; ++i) {
      const auto request = random_request(dice);
      ASSERT_GE(narrower->decide(request->request()).action, policy.decide(request->request()).action) << seed;
    }
  });
}

// Without doubt and without a default that lets through: a rule that lets less through, or goes away, never lets more through.
TEST(WholeLanguage, ANarrowerRuleNeverAllowsMore) {
  for_each_policy([&](unsigned seed, Dice& dice, Document document, const Policy&) {
    document.default_action = Action::deny;
    std::erase_if(document.rules, [](const Rule& rule) { return rule.is_tunnel(); });
    if (document.rules.empty()) return;
    for (auto& rule : document.rules) rule.body_max.reset();
    const auto before = Policy::compile(document);
    ASSERT_TRUE(before);
    auto& rule = document.rules[dice.below(document.rules.size())];
    if (rule.action == Action::deny) return;
    const auto more = random_rule(dice, 98, {.tunnels = false, .limits = false});
    if (rule.methods.empty()) rule.methods = more.methods;
    if (rule.query.empty()) rule.query = more.query;
    if (rule.headers.empty()) rule.headers = more.headers;
    if (rule.content_types.empty()) rule.content_types = more.content_types;
    if (rule.when.empty()) rule.when = more.when;
    if (rule.process.empty()) rule.process = more.process;
    if (rule.paths.empty()) rule.paths = more.paths;
    const auto after = Policy::compile(document);
    if (!after) return;
    for (int i = 0; i < kRequests; ++i) {
      const auto request = random_request(dice);
      const auto was = before->decide(request->request());
      const bool in_doubt = was.code != "" && was.code != "no_rule" && was.code != "rule_denies";
      if (!in_doubt && was.action == Action::deny) {
        ASSERT_EQ(after->decide(request->request()).action, Action::deny) << seed;
      }
    }
  });
}

TEST(WholeLanguage, AsksForTheBodyWhereverItCouldChangeTheVerdict) {
  for_each_policy([&](unsigned seed, Dice& dice, const Document&, const Policy& policy) {
    for (int i = 0; i < kRequests; ++i) {
      const auto request = random_request(dice);
      auto unread = request->request();
      unread.body = nullptr;
      const auto first = policy.decide(unread);
      if (first.needs_body) {
        ASSERT_EQ(first.action, Action::deny) << seed;
        continue;
      }
      const auto second = policy.decide(request->request());
      ASSERT_EQ(first.action, second.action) << seed << " " << first.code << " " << second.code;
    }
  });
}

TEST(WholeLanguage, ExplainsEveryRuleThatDidNotMatchAndNoneThatDid) {
  for_each_policy([&](unsigned seed, Dice& dice, const Document&, const Policy& policy) {
    for (int i = 0; i < kRequests; ++i) {
      const auto request = random_request(dice);
      const auto wanted = request->request();
      const auto decision = policy.decide(wanted);
      for (const auto& miss : explain(policy, wanted)) {
        if (miss.rule == decision.rule && (decision.code.empty() || decision.code == "rule_denies" || decision.code == "body_too_large")) {
          ASSERT_EQ(miss.missed, "") << seed;
        }
        if (miss.missed.empty()) {
          ASSERT_LE(miss.rule->action, decision.action) << seed;
        }
      }
    }
  });
}

}  // namespace
}  // namespace weir::policy
