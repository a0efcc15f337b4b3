// Every condition of a rule, through Policy::decide: what holds, what does not, what is doubt. Documents are made directly, so
// that the loader has no part in it.
#include <functional>

#include "policy_testing.h"

namespace weir::policy {
namespace {

Rule rule_for(std::string host, Action action = Action::allow) {
  Rule rule;
  rule.name = "it";
  rule.action = action;
  rule.hosts = {{HostPattern::Kind::exact, std::move(host), {}}};
  return rule;
}

Policy policy_with(std::vector<Rule> rules, Action fallback = Action::deny) {
  Document document;
  document.file = "test.yaml";
  document.default_action = fallback;
  document.rules = std::move(rules);
  auto policy = Policy::compile(std::move(document));
  if (!policy) throw std::runtime_error(policy.error().message);
  return std::move(*policy);
}

// A request with everything it may have; tests change what they are about.
struct Example {
  Target target = parse_target("https://api.example.com/v1/items?a=1").value();
  std::string method = "POST";
  std::vector<HeaderField> headers;
  std::optional<std::uint64_t> size = 10;
  std::optional<Body> body;
  bool websocket = false;
  std::int64_t now = 1'700'000'000;  // 2023-11-14T22:13:20Z, a Tuesday
  std::vector<std::string> process;

  Request request() const {
    Request request = target.request(method);
    request.headers = headers;
    request.body_size = size;
    request.body = body ? &*body : nullptr;
    request.websocket = websocket || target.websocket;
    request.now = now;
    request.process = process;
    return request;
  }
  Decision by(const Policy& policy) const { return policy.decide(request()); }
};

Reading reading_of(std::vector<Operation> operations) { return {Reading::State::read, std::move(operations), {}}; }
Reading unreadable() { return {Reading::State::unreadable, {}, "a key stands twice"}; }
Reading absent() { return {}; }

TEST(Decision, HoldsAQueryParameterAgainstEveryValueOfIt) {
  Rule rule = rule_for("api.example.com");
  rule.query = {{"service", "git-upload-*"}};
  const auto policy = policy_with({rule});
  const std::pair<const char*, const char*> cases[] = {
      {"service=git-upload-pack", ""},
      {"x=1&service=git-upload-pack&y", ""},
      {"%73ervice=git%2Dupload-pack", ""},
      {"service=git-upload-pack&service=git-upload-x", ""},
      {"", "no_rule"},
      {"service=git-receive-pack", "no_rule"},
      {"Service=git-upload-pack", "no_rule"},
      {"service=git-upload-pack&service=git-receive-pack", "query_ambiguous"},
      {"service=git-upload-pack;service=git-receive-pack", "query_ambiguous"},
      {"service=git-upload-pack%00", "query_ambiguous"},
      {"service=git-upload-pack%zz", "query_ambiguous"},
  };
  for (const auto& [query, code] : cases) {
    Example example;
    example.target.query = query;
    EXPECT_EQ(example.by(policy).code, code) << query;
  }
}

TEST(Decision, DeniesByOneOfSeveralValuesOfAParameter) {
  Rule deny = rule_for("api.example.com", Action::deny);
  deny.query = {{"service", "git-receive-pack"}};
  const auto policy = policy_with({rule_for("api.example.com"), deny});
  Example example;
  example.target.query = "service=git-upload-pack";
  EXPECT_EQ(example.by(policy).action, Action::allow);
  example.target.query = "service=git-receive-pack";
  EXPECT_EQ(example.by(policy).code, "rule_denies");
  example.target.query = "service=git-upload-pack&service=git-receive-pack";
  EXPECT_EQ(example.by(policy).code, "query_ambiguous");
}

TEST(Decision, HoldsAHeaderAgainstEveryLineOfIt) {
  Rule rule = rule_for("api.example.com");
  rule.headers = {{"x-team", "data-*"}};
  const auto policy = policy_with({rule});
  Example example;
  EXPECT_EQ(example.by(policy).code, "no_rule");
  example.headers = {{"X-Team", "data-eng"}};
  EXPECT_EQ(example.by(policy).action, Action::allow);
  example.headers = {{"X-Team", "web"}};
  EXPECT_EQ(example.by(policy).code, "no_rule");
  example.headers = {{"x-team", "data-eng"}, {"X-TEAM", "web"}};
  EXPECT_EQ(example.by(policy).code, "header_ambiguous");
}

TEST(Decision, ComparesTheMediaTypeWithoutParametersAndCase) {
  Rule rule = rule_for("api.example.com");
  rule.content_types = {"application/json", "image/*"};
  const auto policy = policy_with({rule});
  const std::pair<std::vector<HeaderField>, const char*> cases[] = {
      {{{"Content-Type", "application/json"}}, ""},
      {{{"content-type", "Application/JSON; charset=utf-8"}}, ""},
      {{{"content-type", "image/png"}}, ""},
      {{}, "no_rule"},
      {{{"content-type", "text/plain"}}, "no_rule"},
      {{{"content-type", "application/json"}, {"content-type", "text/plain"}}, "content_type_ambiguous"},
      {{{"content-type", "application/json, text/plain"}}, "content_type_ambiguous"},
      {{{"content-type", "json"}}, "content_type_ambiguous"},
      {{{"content-type", "application/"}}, "content_type_ambiguous"},
  };
  for (const auto& [headers, code] : cases) {
    Example example;
    example.headers = headers;
    EXPECT_EQ(example.by(policy).code, code) << (headers.empty() ? "none" : headers.front().value);
  }
}

TEST(Decision, DeniesABodyThatIsLargerThanARuleThatMatches) {
  Rule small = rule_for("api.example.com");
  small.body_max = 100;
  const auto policy = policy_with({small, rule_for("api.example.com")});
  Example example;
  example.size = 100;
  EXPECT_EQ(example.by(policy).action, Action::allow);
  EXPECT_EQ(example.by(policy).body_max, 100U);
  example.size = 101;
  EXPECT_EQ(example.by(policy).code, "body_too_large");
  example.size = std::nullopt;  // chunked: the proxy cuts it off
  EXPECT_EQ(example.by(policy).action, Action::allow);
  EXPECT_EQ(example.by(policy).body_max, 100U);
}

TEST(Decision, NamesTheRulesWhoseRateCounts) {
  Rule first = rule_for("api.example.com");
  first.rate = Rate{60, 60};
  Rule other = rule_for("other.example.com");
  other.rate = Rate{1, 1};
  Rule also = first;
  also.paths = {"/v1/**", "/v1/items"};
  const auto policy = policy_with({first, other, also});
  EXPECT_THAT(Example{}.by(policy).rates, testing::ElementsAre(0U, 2U));
}

TEST(Decision, KeepsToTimes) {
  Rule rule = rule_for("api.example.com");
  TimeWindow window;
  window.days = 0b0000010;  // Tuesday
  window.from = 22 * 60;
  window.to = 23 * 60;
  rule.when = {window};
  const auto policy = policy_with({rule});
  EXPECT_TRUE(policy.wants_time());
  Example example;
  EXPECT_EQ(example.by(policy).action, Action::allow);
  example.now += 3600;
  EXPECT_EQ(example.by(policy).code, "no_rule");
  example.now += 7 * 86400 - 3600;
  EXPECT_EQ(example.by(policy).action, Action::allow);
}

TEST(Decision, LetsAWebSocketThroughOnlyWhereARuleSaysSo) {
  Rule with = rule_for("api.example.com");
  with.websocket = true;
  Rule without = rule_for("api.example.com");
  Example plain, handshake;
  plain.method = handshake.method = "GET";
  handshake.websocket = true;
  EXPECT_EQ(plain.by(policy_with({without})).action, Action::allow);
  EXPECT_EQ(handshake.by(policy_with({without})).code, "no_rule");
  EXPECT_EQ(plain.by(policy_with({with})).code, "no_rule");
  EXPECT_EQ(handshake.by(policy_with({with})).action, Action::allow);
  // A denial that does not speak of it covers both.
  EXPECT_EQ(handshake.by(policy_with({with, rule_for("api.example.com", Action::deny)})).code, "rule_denies");
  Rule only_plain = rule_for("api.example.com", Action::deny);
  only_plain.websocket = false;
  EXPECT_EQ(handshake.by(policy_with({with, only_plain})).action, Action::allow);
}

TEST(Decision, WantsTheBodyWhereTheVerdictHangsOnIt) {
  Rule rule = rule_for("api.example.com");
  rule.graphql = GraphqlCondition{{"query"}, {}};
  const auto policy = policy_with({rule});
  Example example;
  const auto unread = example.by(policy);
  EXPECT_TRUE(unread.needs_body);
  EXPECT_EQ(unread.action, Action::deny);
  example.target = parse_target("https://other.example.com/").value();
  EXPECT_FALSE(example.by(policy).needs_body);
  // Not where a denial has settled it.
  const auto denied = policy_with({rule, rule_for("api.example.com", Action::deny)});
  EXPECT_FALSE(Example{}.by(denied).needs_body);
}

TEST(Decision, DecidesABatchByItsStrictestMember) {
  Rule query = rule_for("api.example.com");
  query.graphql = GraphqlCondition{{"query"}, {}};
  Rule no_secrets = rule_for("api.example.com", Action::deny);
  no_secrets.graphql = GraphqlCondition{{}, {"secret*"}};
  Rule careful = rule_for("api.example.com", Action::ask);
  careful.graphql = GraphqlCondition{{"query"}, {"billing"}};
  const auto policy = policy_with({query, no_secrets, careful});
  const auto verdict_on = [&](std::vector<Operation> operations) {
    Example example;
    example.body = Body{reading_of(std::move(operations)), unreadable()};
    return std::string(name_of(example.by(policy).action)) + " " + std::string(example.by(policy).code);
  };
  EXPECT_EQ(verdict_on({{"query", "viewer"}}), "allow ");
  EXPECT_EQ(verdict_on({{"query", "viewer"}, {"query", "billing"}}), "ask ");
  EXPECT_EQ(verdict_on({{"query", "billing"}, {"query", "viewer"}}), "ask ");
  EXPECT_EQ(verdict_on({{"query", "viewer"}, {"mutation", "addItem"}}), "deny no_rule");
  EXPECT_EQ(verdict_on({{"query", "viewer"}, {"query", "secretKeys"}, {"query", "billing"}}), "deny rule_denies");
}

TEST(Decision, NamesTheOperationThatDecided) {
  Rule query = rule_for("api.example.com");
  query.graphql = GraphqlCondition{{"query"}, {}};
  const auto policy = policy_with({query});
  Example example;
  example.body = Body{reading_of({{"query", "viewer"}, {"mutation", "addItem"}}), unreadable()};
  const auto request = example.request();
  const auto decision = policy.decide(request);
  ASSERT_NE(decision.operation, nullptr);
  EXPECT_EQ(*decision.operation, (Operation{"mutation", "addItem"}));
}

TEST(Decision, DeniesABodyThatCannotBeReadWhereARuleDependsOnIt) {
  Rule no_deletes = rule_for("api.example.com", Action::deny);
  no_deletes.rpc = RpcCondition{true, {}, {"delete_*"}};
  const auto policy = policy_with({rule_for("api.example.com"), no_deletes});
  Example example;
  example.body = Body{absent(), unreadable()};
  EXPECT_EQ(example.by(policy).code, "body_unreadable");
  example.body = Body{absent(), absent()};
  EXPECT_EQ(example.by(policy).action, Action::allow);
  example.body = Body{unreadable(), reading_of({{"tools/call", "search"}})};  // no rule asks about GraphQL
  EXPECT_EQ(example.by(policy).action, Action::allow);
  example.body = Body{absent(), reading_of({{"tools/call", "search"}, {"tools/call", "delete_all"}})};
  EXPECT_EQ(example.by(policy).code, "rule_denies");
}

TEST(Decision, NarrowsToolCallsAndLeavesOtherMethodsAlone) {
  Rule mcp = rule_for("api.example.com");
  mcp.rpc = RpcCondition{true, {"initialize", "notifications/*", "tools/*"}, {"search_*"}};
  Rule tools_only = rule_for("tools.example.com");
  tools_only.rpc = RpcCondition{true, {}, {"search_*"}};
  const auto policy = policy_with({mcp, tools_only});
  const auto allows = [&](const char* host, Operation operation) {
    Example example;
    example.target = parse_target(std::string("https://") + host + "/mcp").value();
    example.body = Body{unreadable(), reading_of({std::move(operation)})};
    return example.by(policy).action == Action::allow;
  };
  EXPECT_TRUE(allows("api.example.com", {"initialize", ""}));
  EXPECT_TRUE(allows("api.example.com", {"tools/list", ""}));
  EXPECT_TRUE(allows("api.example.com", {"tools/call", "search_web"}));
  EXPECT_FALSE(allows("api.example.com", {"tools/call", "delete"}));
  EXPECT_FALSE(allows("api.example.com", {"resources/read", ""}));
  EXPECT_TRUE(allows("tools.example.com", {"tools/call", "search_web"}));
  EXPECT_FALSE(allows("tools.example.com", {"tools/list", ""}));
}

TEST(Decision, AsksWhichProgramHoldsTheConnection) {
  Rule git = rule_for("api.example.com");
  git.process = {"/usr/bin/git", "/usr/lib/git-core/**"};
  Rule no_curl = rule_for("api.example.com", Action::deny);
  no_curl.process = {"/usr/bin/curl"};
  const auto policy = policy_with({git, no_curl});
  EXPECT_TRUE(policy.wants_process());
  const auto code_for = [&](std::vector<std::string> process) {
    Example example;
    example.process = std::move(process);
    return std::string(example.by(policy).code);
  };
  EXPECT_EQ(code_for({"/usr/bin/git"}), "");
  EXPECT_EQ(code_for({"/usr/bin/git", "/usr/lib/git-core/git-remote-https"}), "");
  EXPECT_EQ(code_for({"/usr/bin/git", "/usr/bin/sh"}), "no_rule");
  EXPECT_EQ(code_for({"/usr/bin/git", "/usr/bin/curl"}), "rule_denies");
  EXPECT_EQ(code_for({"/usr/bin/git (deleted)"}), "no_rule");
  EXPECT_EQ(code_for({}), "process_unknown");
}

TEST(Decision, LetsRawConnectionsThroughOnlyByATcpRule) {
  Rule database = rule_for("db.example.com");
  database.tcp = true;
  database.hosts[0].port = 5432;
  const auto policy = policy_with({database, rule_for("api.example.com")});
  const auto verdict_on = [&](const char* url) {
    Example example;
    example.target = parse_target(url).value();
    return example.by(policy).action;
  };
  EXPECT_EQ(verdict_on("tcp://db.example.com:5432"), Action::allow);
  EXPECT_EQ(verdict_on("tcp://db.example.com:5433"), Action::deny);
  EXPECT_EQ(verdict_on("tcp://api.example.com:443"), Action::deny);
  EXPECT_EQ(policy.treatment_of("db.example.com", 5432), Treatment::tcp);
  EXPECT_EQ(policy.treatment_of("api.example.com", 443), Treatment::inspect);
  // A request to a place whose connections are carried unread is such a connection.
  EXPECT_EQ(verdict_on("https://db.example.com:5432/anything"), Action::allow);
}

TEST(Decision, CarriesTlsUnopenedOnlyByAPassthroughRule) {
  Rule pinned = rule_for("pinned.example.com");
  pinned.passthrough = true;
  Rule closed = rule_for("closed.pinned.example.com", Action::deny);
  Rule below = rule_for("pinned.example.com");
  below.passthrough = true;
  below.hosts[0].kind = HostPattern::Kind::below;
  const auto policy = policy_with({pinned, below, closed, rule_for("api.example.com")});
  const auto verdict_on = [&](const char* url) {
    Example example;
    example.target = parse_target(url).value();
    return example.by(policy).action;
  };
  EXPECT_EQ(policy.treatment_of("pinned.example.com", 443), Treatment::passthrough);
  EXPECT_EQ(verdict_on("tls://pinned.example.com"), Action::allow);
  EXPECT_EQ(verdict_on("https://pinned.example.com/x"), Action::allow);
  EXPECT_EQ(verdict_on("http://pinned.example.com/x"), Action::deny) << "what is not TLS is looked into, and no rule allows it";
  EXPECT_EQ(verdict_on("tcp://pinned.example.com:443"), Action::deny);
  EXPECT_EQ(verdict_on("tls://a.pinned.example.com"), Action::allow);
  EXPECT_EQ(verdict_on("tls://closed.pinned.example.com"), Action::deny);
  EXPECT_EQ(verdict_on("tls://api.example.com"), Action::deny);
}

TEST(Decision, DeniesAnUnreadConnectionWhereADenialLooksInside) {
  Rule no_gists = rule_for("api.example.com", Action::deny);
  no_gists.paths = {"/gists/**"};
  const auto policy = policy_with({no_gists}, Action::log);
  Example example;
  example.target = parse_target("tcp://api.example.com:443").value();
  EXPECT_EQ(example.by(policy).code, "not_inspected");
  example.target = parse_target("tcp://api.example.com:22").value();
  EXPECT_EQ(example.by(policy).action, Action::log);
}

TEST(Decision, AsksByDefaultWhenTheFileSaysSo) {
  const auto policy = policy_with({rule_for("api.example.com")}, Action::ask);
  Example example;
  EXPECT_EQ(example.by(policy).action, Action::allow);
  example.target = parse_target("https://other.example.com/").value();
  EXPECT_EQ(example.by(policy).action, Action::ask);
  EXPECT_EQ(example.by(policy).rule, nullptr);
}

TEST(Decision, PutsStrictnessInOrder) {
  const Action all[] = {Action::allow, Action::log, Action::ask, Action::deny};
  for (const auto a : all)
    for (const auto b : all) {
      const auto policy = policy_with({rule_for("api.example.com", a), rule_for("api.example.com", b)});
      EXPECT_EQ(Example{}.by(policy).action, std::max(a, b));
    }
}

TEST(Decision, FindsAPathAmongVeryManyRulesOfOneHost) {
  std::vector<Rule> rules;
  for (int i = 0; i < 1000; ++i) {
    Rule rule = rule_for("api.example.com");
    rule.name = std::to_string(i);
    rule.paths = {"/v1/items/" + std::to_string(i), "/v2/" + std::to_string(i) + "/**"};
    rules.push_back(rule);
  }
  Rule deny = rule_for("api.example.com", Action::deny);
  deny.paths = {"/**/7"};
  rules.push_back(deny);
  const auto policy = policy_with(rules);
  const auto decision_on = [&](const std::string& path) {
    Example example;
    example.target = parse_target("https://api.example.com" + path).value();
    return example.by(policy);
  };
  EXPECT_EQ(decision_on("/v1/items/523").rule->name, "523");
  EXPECT_EQ(decision_on("/v2/999/a/b").rule->name, "999");
  EXPECT_EQ(decision_on("/v1/items/1000").code, "no_rule");
  EXPECT_EQ(decision_on("/v1/items/7").code, "rule_denies");
  EXPECT_EQ(decision_on("/v1/items/8%2Fx").code, "encoded_slash");
  EXPECT_EQ(decision_on("/v1//items/8").code, "path_ambiguous");
}

TEST(Decision, ExplainsWhatDecideFound) {
  Rule rule = rule_for("api.example.com");
  rule.methods = {"GET"};
  rule.headers = {{"x-team", "data-*"}};
  rule.query = {{"a", "2"}};
  rule.process = {"/usr/bin/git"};
  const auto policy = policy_with({rule});
  Example example;
  example.process = {"/usr/bin/git"};
  const auto missed = [&] { return explain(policy, example.request()).at(0).missed; };
  EXPECT_EQ(missed(), "method POST is not in [GET]");
  example.method = "GET";
  EXPECT_EQ(missed(), "query parameter `a` is 1, not 2");
  example.target.query = "a=2";
  EXPECT_EQ(missed(), "there is no header `x-team`");
  example.headers = {{"x-team", "data-eng"}};
  EXPECT_EQ(missed(), "");
  EXPECT_EQ(example.by(policy).action, Action::allow);
  example.process = {"/bin/sh"};
  EXPECT_EQ(missed(), "program /bin/sh is not in [/usr/bin/git]");
}

}  // namespace
}  // namespace weir::policy
