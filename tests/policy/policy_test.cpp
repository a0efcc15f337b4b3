// What a policy decides: each sentence of the language's meaning, by a file and requests.
#include "policy_testing.h"

namespace weir::policy {
namespace {

using enum Action;

TEST(Decide, DeniesWhatNothingAllows) {
  const auto policy = policy_of("rules:\n  - hosts: [example.com]\n");
  const auto decision = decide(policy, "GET", "https://other.com/");
  EXPECT_EQ(decision.action, deny);
  EXPECT_EQ(decision.rule, nullptr);
  EXPECT_EQ(decision.code, "no_rule");
}

TEST(Decide, DeniesEverythingWithoutRules) { EXPECT_EQ(verdict(policy_of(""), "GET", "https://example.com/"), deny); }

TEST(Decide, AllowsWithTheRuleThatDecided) {
  const auto policy = policy_of("rules:\n  - {name: one, hosts: [a.com]}\n  - {name: two, hosts: [b.com]}\n");
  const auto decision = decide(policy, "GET", "https://b.com/x");
  EXPECT_EQ(decision.action, allow);
  ASSERT_NE(decision.rule, nullptr);
  EXPECT_EQ(decision.rule->name, "two");
  EXPECT_EQ(decision.rule->place.line, 4);
  EXPECT_EQ(decision.code, "");
}

TEST(Decide, LetsTheStrictestWinInWhateverOrder) {
  for (const char* rules :
       {"  - {hosts: [a.com]}\n  - {hosts: [a.com], action: log}\n  - {hosts: [a.com], paths: [/x], action: deny}\n",
        "  - {hosts: [a.com], paths: [/x], action: deny}\n  - {hosts: [a.com], action: log}\n  - {hosts: [a.com]}\n"}) {
    const auto policy = policy_of(std::string("rules:\n") + rules);
    EXPECT_EQ(verdict(policy, "GET", "https://a.com/x"), deny);
    EXPECT_EQ(decide(policy, "GET", "https://a.com/x").code, "rule_denies");
    EXPECT_EQ(verdict(policy, "GET", "https://a.com/y"), log);
  }
}

TEST(Decide, NamesTheFirstOfEquallyStrictRules) {
  const auto policy = policy_of("rules:\n  - {name: wide, hosts: ['*']}\n  - {name: exact, hosts: [a.com]}\n");
  EXPECT_EQ(decide(policy, "GET", "https://a.com/").rule->name, "wide");
}

TEST(Decide, TakesAPlainHostForThatNameAlone) {
  const auto policy = policy_of("rules:\n  - hosts: [example.com]\n");
  EXPECT_EQ(verdict(policy, "GET", "https://example.com/"), allow);
  EXPECT_EQ(verdict(policy, "GET", "https://EXAMPLE.com./"), allow);
  for (const char* url :
       {"https://www.example.com/", "https://notexample.com/", "https://example.com.evil.org/", "https://example.co/"})
    EXPECT_EQ(verdict(policy, "GET", url), deny) << url;
}

TEST(Decide, TakesAWildcardForEveryNameBelowAndNotTheNameItself) {
  const auto policy = policy_of("rules:\n  - hosts: ['*.example.com']\n");
  EXPECT_EQ(verdict(policy, "GET", "https://a.example.com/"), allow);
  EXPECT_EQ(verdict(policy, "GET", "https://a.b.c.example.com/"), allow);
  for (const char* url : {"https://example.com/", "https://aexample.com/", "https://example.com.a/", "https://com/"})
    EXPECT_EQ(verdict(policy, "GET", url), deny) << url;
}

TEST(Decide, TakesAStarAloneForEveryName) {
  const auto policy = policy_of("rules:\n  - hosts: ['*']\n");
  EXPECT_EQ(verdict(policy, "GET", "https://example.com/"), allow);
  EXPECT_EQ(verdict(policy, "GET", "https://localhost/"), allow);
}

TEST(Decide, NeedsARuleForAnAddressThatIsDialledByNumber) {
  const auto any = policy_of("rules:\n  - hosts: ['*']\n");
  EXPECT_EQ(verdict(any, "GET", "https://93.184.216.34/"), deny);
  EXPECT_EQ(verdict(any, "GET", "https://[2606:4700::1111]/"), deny);
  const auto named = policy_of("rules:\n  - hosts: [93.184.216.34, '2606:4700:0::1111', '[::1]:8443']\n");
  EXPECT_EQ(verdict(named, "GET", "https://93.184.216.34/"), allow);
  EXPECT_EQ(verdict(named, "GET", "https://[2606:4700::1111]/"), allow);
  EXPECT_EQ(verdict(named, "GET", "https://[::ffff:93.184.216.34]/"), allow);
  EXPECT_EQ(verdict(named, "GET", "https://[::1]:8443/"), allow);
  EXPECT_EQ(verdict(named, "GET", "https://[::1]/"), deny);
}

TEST(Decide, DeniesAddressesTooWhereAStarDenies) {
  const auto policy = policy_of("default: log\nrules:\n  - {hosts: ['*'], action: deny}\n");
  EXPECT_EQ(verdict(policy, "GET", "https://93.184.216.34/"), deny);
}

TEST(Decide, ComparesInternationalNamesInOneForm) {
  const auto policy = policy_of("rules:\n  - hosts: [MÜNCHEN.de]\n");
  EXPECT_EQ(verdict(policy, "GET", "https://xn--mnchen-3ya.de/"), allow);
}

TEST(Decide, OpensPorts443And80UnlessTheRuleSaysOtherwise) {
  const auto plain = policy_of("rules:\n  - hosts: [a.com]\n");
  EXPECT_EQ(verdict(plain, "GET", "https://a.com/"), allow);
  EXPECT_EQ(verdict(plain, "GET", "http://a.com/"), allow);
  EXPECT_EQ(verdict(plain, "GET", "https://a.com:8443/"), deny);

  const auto ports = policy_of("rules:\n  - {hosts: [a.com, 'b.com:9000'], ports: [8443]}\n");
  EXPECT_EQ(verdict(ports, "GET", "https://a.com:8443/"), allow);
  EXPECT_EQ(verdict(ports, "GET", "https://a.com/"), deny);
  EXPECT_EQ(verdict(ports, "GET", "https://b.com:9000/"), allow);
  EXPECT_EQ(verdict(ports, "GET", "https://b.com:8443/"), deny);

  const auto wild = policy_of("rules:\n  - {hosts: ['*.a.com:8443', '*:9443']}\n");
  EXPECT_EQ(verdict(wild, "GET", "https://x.a.com:8443/"), allow);
  EXPECT_EQ(verdict(wild, "GET", "https://x.a.com/"), deny);
  EXPECT_EQ(verdict(wild, "GET", "https://q.com:9443/"), allow);
}

TEST(Decide, TakesMethodsByTheLetter) {
  const auto policy = policy_of("rules:\n  - {hosts: [a.com], methods: [GET, HEAD]}\n");
  EXPECT_EQ(verdict(policy, "GET", "https://a.com/"), allow);
  EXPECT_EQ(verdict(policy, "HEAD", "https://a.com/"), allow);
  for (const char* method : {"POST", "get", "Get", "GETX", "GE", ""})
    EXPECT_EQ(verdict(policy, method, "https://a.com/"), deny) << method;
}

TEST(Decide, MatchesPathsInTheirCanonicalForm) {
  const auto policy = policy_of("rules:\n  - {hosts: [a.com], paths: ['/v1/**']}\n");
  EXPECT_EQ(verdict(policy, "GET", "https://a.com/v1/x?q=/v2"), allow);
  EXPECT_EQ(verdict(policy, "GET", "https://a.com/%76%31/x"), allow);
  EXPECT_EQ(verdict(policy, "GET", "https://a.com/v2/../v1/x"), allow);
  EXPECT_EQ(verdict(policy, "GET", "https://a.com/v1/../v2/x"), deny);
  EXPECT_EQ(verdict(policy, "GET", "https://a.com/v1/%2e%2e/v2/x"), deny);
}

TEST(Decide, RefusesAnAmbiguousPathWhereARuleWithPathsIsInPlay) {
  const auto policy = policy_of(
      "rules:\n  - {name: all, hosts: [a.com]}\n  - {name: no admin, hosts: [a.com], paths: ['/admin/**'], action: deny}\n");
  for (const char* path :
       {"//admin/x", "/x/..;/admin/x", "/%2e%2e/admin/x", "/admin%00/x", "/a%5Cb", "/%zz", "/a%252e", "/%c0%af"}) {
    const auto decision = decide(policy, "GET", std::string("https://a.com") + path);
    EXPECT_EQ(decision.action, deny) << path;
    EXPECT_EQ(decision.code, "path_ambiguous") << path;
    ASSERT_NE(decision.rule, nullptr);
    EXPECT_EQ(decision.rule->name, "no admin");
  }
}

TEST(Decide, LetsAnAmbiguousPathPassWhereNoRuleLooksAtPaths) {
  const auto policy = policy_of(
      "rules:\n  - {hosts: [a.com]}\n  - {hosts: [b.com], paths: [/x], action: deny}\n  - {hosts: [a.com], methods: [POST], "
      "paths: [/x], action: deny}\n"
      "  - {hosts: ['a.com:8443'], paths: [/x], action: deny}\n");
  EXPECT_EQ(verdict(policy, "GET", "https://a.com//x"), allow);  // other hosts, methods and ports are not in play
  EXPECT_EQ(verdict(policy, "POST", "https://a.com//x"), deny);
}

TEST(Decide, RefusesAnAmbiguousPathUnderDefaultLogToo) {
  const auto policy = policy_of("default: log\nrules:\n  - {hosts: [a.com], paths: [/x], action: deny}\n");
  EXPECT_EQ(verdict(policy, "GET", "https://a.com//x"), deny);
  EXPECT_EQ(verdict(policy, "GET", "https://b.com//x"), log);
}

TEST(Decide, RefusesAnEncodedSlashUnlessTheRuleAllowsIt) {
  const auto closed = policy_of("rules:\n  - {hosts: [a.com], paths: ['/**']}\n");
  EXPECT_EQ(decide(closed, "GET", "https://a.com/@s%2Fn").code, "encoded_slash");
  EXPECT_EQ(verdict(closed, "GET", "https://a.com/@s/n"), allow);
  const auto open = policy_of("rules:\n  - {hosts: [a.com], paths: ['/@*%2F*'], encoded_slash: allow}\n");
  EXPECT_EQ(verdict(open, "GET", "https://a.com/@s%2fn"), allow);
  EXPECT_EQ(verdict(open, "GET", "https://a.com/@s%2F..%2Fx"), deny);
  const auto both = policy_of(
      "rules:\n  - {hosts: [a.com], paths: ['/**'], encoded_slash: allow}\n  - {hosts: [a.com], paths: [/x], action: "
      "deny}\n");
  EXPECT_EQ(decide(both, "GET", "https://a.com/@s%2Fn").code, "encoded_slash");
}

TEST(Decide, SaysThatARuleDeniesBeforeItSaysThatThePathIsAmbiguous) {
  const auto policy = policy_of("rules:\n  - {hosts: [a.com], paths: [/x]}\n  - {hosts: [a.com], action: deny}\n");
  EXPECT_EQ(decide(policy, "GET", "https://a.com//").code, "rule_denies");
}

TEST(Decide, TakesAMissingPathForAnAmbiguousOne) {
  const auto policy = policy_of("rules:\n  - {hosts: [a.com], paths: ['/**']}\n");
  EXPECT_EQ(policy.decide({"https", "a.com", 443, "GET", nullptr}).code, "path_ambiguous");
}

TEST(Decide, LetsTheDefaultLogDecideWhatNoRuleMatches) {
  const auto policy = policy_of("default: log\nrules:\n  - {hosts: [a.com], action: deny}\n  - {hosts: [b.com]}\n");
  EXPECT_EQ(verdict(policy, "GET", "https://c.com/"), log);
  EXPECT_EQ(decide(policy, "GET", "https://c.com/").rule, nullptr);
  EXPECT_EQ(verdict(policy, "GET", "https://a.com/"), deny);
  EXPECT_EQ(verdict(policy, "GET", "https://b.com/"), allow);
}

TEST(Decide, SurvivesNamesOfManyLabels) {
  const auto policy = policy_of("rules:\n  - hosts: ['*.a']\n");
  std::string host = "a";
  for (int i = 0; i < 126; ++i) host = "a." + host;
  EXPECT_EQ(policy.decide({"https", host, 443, "GET", nullptr}).action, allow);
}

TEST(CouldAllowHost, IsTrueWhereSomeRequestCouldPass) {
  const auto policy = policy_of(
      "rules:\n  - {hosts: ['a.com:8443'], methods: [POST], paths: [/x]}\n  - {hosts: ['*.b.com'], action: log}\n  - "
      "{hosts: [c.com], action: deny}\n");
  EXPECT_TRUE(policy.could_allow_host("a.com"));
  EXPECT_TRUE(policy.could_allow_host("x.b.com"));
  EXPECT_FALSE(policy.could_allow_host("b.com"));
  EXPECT_FALSE(policy.could_allow_host("c.com"));
  EXPECT_FALSE(policy.could_allow_host("d.com"));
  EXPECT_TRUE(policy_of("default: log").could_allow_host("anything.example"));
}

constexpr const char* kCredentials = R"(
credentials:
  one: {from: env:A, hosts: [a.com, "*.b.com", "c.com:8443"], inject: {header: X-One, format: "{secret}"}}
  two: {from: env:B, hosts: ["*"], inject: {header: X-Two, format: "{secret}"}, insecure: true}
)";

std::vector<std::uint32_t> bound(const Policy& policy, std::string_view scheme, std::string_view host, std::uint16_t port) {
  std::vector<std::uint32_t> out{99};  // what was there before must go
  policy.credentials_for(scheme, host, port, out);
  return out;
}

TEST(CredentialsFor, GivesThoseWhoseHostsAreMeant) {
  const auto policy = policy_of(kCredentials);
  using testing::ElementsAre;
  EXPECT_THAT(bound(policy, "https", "a.com", 443), ElementsAre(0, 1));
  EXPECT_THAT(bound(policy, "https", "x.b.com", 443), ElementsAre(0, 1));
  EXPECT_THAT(bound(policy, "https", "b.com", 443), ElementsAre(1));
  EXPECT_THAT(bound(policy, "https", "evil-a.com", 443), ElementsAre(1));
  EXPECT_THAT(bound(policy, "https", "c.com", 8443), ElementsAre(0));
  EXPECT_THAT(bound(policy, "https", "c.com", 443), ElementsAre(1));
}

TEST(CredentialsFor, NeverBindsOverPlainHttpUnlessTheFileSaysSo) {
  const auto policy = policy_of(kCredentials);
  EXPECT_THAT(bound(policy, "http", "a.com", 80), testing::ElementsAre(1));
  EXPECT_THAT(bound(policy, "http", "a.com", 443), testing::ElementsAre(1));
  EXPECT_THAT(bound(policy, "", "a.com", 443), testing::ElementsAre(1));
  EXPECT_THAT(bound(policy, "HTTPS", "a.com", 443), testing::ElementsAre(1));
}

TEST(CredentialsFor, GoesToNoOtherPortThanItsHostsSay) {
  EXPECT_THAT(bound(policy_of(kCredentials), "https", "a.com", 8443), testing::IsEmpty());
}

TEST(CredentialsFor, GivesNothingToAddressesForAStar) {
  EXPECT_THAT(bound(policy_of(kCredentials), "https", "10.0.0.1", 443), testing::IsEmpty());
}

TEST(CredentialsFor, BindsOnceWhenSeveralPatternsMatch) {
  const auto policy = policy_of(
      "credentials:\n  c: {from: env:A, hosts: [x.a.com, '*.a.com', '*'], inject: {header: X, format: '{secret}'}}\n");
  EXPECT_THAT(bound(policy, "https", "x.a.com", 443), testing::ElementsAre(0));
}

TEST(NamedAddresses, AreThoseOfRulesThatMatchHostAndPort) {
  const auto policy = policy_of(
      "rules:\n  - {hosts: [a.com], addresses: [10.0.0.0/8]}\n  - {hosts: ['*.com'], addresses: ['fd00::/8', 10.0.0.0/8]}\n"
      "  - {hosts: ['a.com:8443'], addresses: [192.168.0.0/16]}\n  - {hosts: [a.com], action: deny}\n");
  EXPECT_THAT(policy.named_addresses("a.com", 443), testing::ElementsAre("10.0.0.0/8", "fd00::/8"));
  EXPECT_THAT(policy.named_addresses("a.com", 8443), testing::ElementsAre("192.168.0.0/16"));
  EXPECT_THAT(policy.named_addresses("b.org", 443), testing::IsEmpty());
}

TEST(NamedAddresses, CountAFixedAddressAsNamed) {
  const auto policy = policy_of("upstream: {resolve: {Api.test.example: '127.0.0.1:8443', six.example: '::1'}}\n");
  EXPECT_THAT(policy.named_addresses("api.test.example", 443), testing::ElementsAre("127.0.0.1/32"));
  EXPECT_THAT(policy.named_addresses("six.example", 443), testing::ElementsAre("::1/128"));
  EXPECT_THAT(policy.named_addresses("other.example", 443), testing::IsEmpty());
}

TEST(NamedAddresses, CountAnAddressThatARuleHasForAHost) {
  const auto policy = policy_of("rules:\n  - hosts: [10.0.0.5, '*']\n");
  EXPECT_THAT(policy.named_addresses("10.0.0.5", 443), testing::ElementsAre("10.0.0.5/32"));
  EXPECT_THAT(policy.named_addresses("10.0.0.6", 443), testing::IsEmpty());
  EXPECT_THAT(policy.named_addresses("10.0.0.5", 8443), testing::IsEmpty());
}

TEST(Compile, RefusesWhatTheLoaderWouldRefuse) {
  const auto base = document_of(
      "credentials:\n  c: {from: env:A, hosts: [a.com], inject: {header: X, format: '{secret}'}}\nrules:\n  - hosts: "
      "[a.com]\n");
  ASSERT_TRUE(Policy::compile(base));
  const auto refuses = [&](auto change) {
    Document document = base;
    change(document);
    return !Policy::compile(std::move(document));
  };
  EXPECT_TRUE(refuses([](Document& d) { d.default_action = allow; }));
  EXPECT_TRUE(refuses([](Document& d) { d.rules[0].tcp = true; }));
  EXPECT_TRUE(refuses([](Document& d) { d.rules[0].passthrough = true; }));  // over the credential's place
  EXPECT_TRUE(refuses([](Document& d) { d.rules[0].query = {{"a", "1"}, {"a", "2"}}; }));
  EXPECT_TRUE(refuses([](Document& d) { d.rules[0].headers = {{"X-Team", "1"}}; }));
  EXPECT_TRUE(refuses([](Document& d) { d.rules[0].content_types = {"Text/plain"}; }));
  EXPECT_TRUE(refuses([](Document& d) { d.rules[0].rate = Rate{1, 7}; }));
  EXPECT_TRUE(refuses([](Document& d) { d.rules[0].process = {"git"}; }));
  EXPECT_TRUE(refuses([](Document& d) { d.rules[0].when.push_back({.days = 0}); }));
  EXPECT_TRUE(refuses([](Document& d) { d.rules[0].rpc = RpcCondition{false, {}, {"tool"}}; }));
  EXPECT_TRUE(refuses([](Document& d) { d.rules[0].graphql = GraphqlCondition{{"querry"}, {}}; }));
  EXPECT_TRUE(refuses([](Document& d) {
    d.rules[0].action = deny;
    d.rules[0].body_max = 1;
  }));
  EXPECT_TRUE(refuses([](Document& d) { d.limits.approval_seconds = 0; }));
  EXPECT_TRUE(refuses([](Document& d) { d.limits.inspected_body = 1ULL << 40; }));
  EXPECT_TRUE(refuses([](Document& d) { d.rules[0].hosts.clear(); }));
  EXPECT_TRUE(refuses([](Document& d) { d.rules[0].hosts[0].name = "A.com"; }));
  EXPECT_TRUE(refuses([](Document& d) { d.rules[0].hosts[0].port = 0; }));
  EXPECT_TRUE(refuses([](Document& d) { d.rules[0].ports = {0}; }));
  EXPECT_TRUE(refuses([](Document& d) { d.rules[0].methods = {"get"}; }));
  EXPECT_TRUE(refuses([](Document& d) { d.rules[0].paths = {"x"}; }));
  EXPECT_TRUE(refuses([](Document& d) { d.rules[0].addresses = {"10.0.0.1/8"}; }));
  EXPECT_TRUE(refuses([](Document& d) { d.credentials[0].inject.name = "Host"; }));
  EXPECT_TRUE(refuses([](Document& d) { d.credentials[0].inject.format = "x\r\ny: {secret}"; }));
  EXPECT_TRUE(refuses([](Document& d) { d.credentials[0].from = "exec:rm"; }));
  EXPECT_TRUE(refuses([](Document& d) { d.credentials.push_back(d.credentials[0]); }));
  EXPECT_TRUE(refuses([](Document& d) { d.upstream.resolve = {{"a.com", "127.1", {}}}; }));
}

}  // namespace
}  // namespace weir::policy
