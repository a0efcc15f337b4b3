#include "policy/lint.h"

#include <algorithm>

#include "policy_testing.h"

namespace weir::policy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> warnings(const std::string& rest) {
  const auto text = "version: 1\n" + rest;
  auto loaded = load_text(text, "p.yaml");
  EXPECT_TRUE(loaded.ok()) << all_messages(loaded);
  add_warnings(loaded, text);
  std::vector<std::string> all;
  for (const auto& d : loaded.diagnostics) all.push_back(std::to_string(d.place.line) + " " + d.message);
  return all;
}

TEST(Lint, IsSilentAboutAGoodFile) {
  EXPECT_THAT(warnings("use: [anthropic, git-clone]\nrules:\n  - {name: a, hosts: [a.com], methods: [GET]}\n  - {name: b, "
                       "hosts: [a.com], paths: [/x], action: deny}\n"),
              IsEmpty());
}

TEST(Lint, FindsRulesThatAStricterOneCovers) {
  EXPECT_THAT(warnings("rules:\n  - {name: dead, hosts: [x.a.com], methods: [GET], paths: ['/v1/*']}\n  - {name: wall, "
                       "hosts: ['*.a.com'], paths: ['/v1/**'], action: deny}\n"),
              ElementsAre(HasSubstr("3 rule `dead` never decides anything: the stricter rule `wall` (p.yaml:4)")));
}

TEST(Lint, FindsRulesThatAddNothing) {
  EXPECT_THAT(
      warnings("rules:\n  - {name: wide, hosts: ['*.a.com']}\n  - {name: narrow, hosts: [x.a.com], methods: [GET]}\n"),
      ElementsAre(HasSubstr("4 rule `narrow` adds nothing")));
  EXPECT_THAT(warnings("rules:\n  - {name: one, hosts: [a.com]}\n  - {name: two, hosts: [a.com]}\n"),
              ElementsAre(HasSubstr("4 rule `two` adds nothing")));
}

TEST(Lint, DoesNotCallARuleDeadThatHasPortsOrMethodsOfItsOwn) {
  EXPECT_THAT(warnings("rules:\n  - {name: a, hosts: ['a.com:8443']}\n  - {name: b, hosts: ['a.com:443']}\n"), IsEmpty());
  EXPECT_THAT(
      warnings("rules:\n  - {name: a, hosts: [a.com]}\n  - {name: b, hosts: [a.com], methods: [GET], action: deny}\n"),
      IsEmpty());
  EXPECT_THAT(warnings("rules:\n  - {name: a, hosts: [a.com]}\n  - {name: b, hosts: [a.com], addresses: [10.0.0.0/8]}\n"),
              ElementsAre(HasSubstr("`a` adds nothing")));
}

TEST(Lint, FindsCredentialsThatNoRuleReaches) {
  const std::string credential =
      "credentials:\n  c: {from: env:A, hosts: [a.com], inject: {header: X, format: '{secret}'}}\n";
  EXPECT_THAT(warnings(credential), ElementsAre(HasSubstr("3 no rule lets a request through")));
  EXPECT_THAT(warnings(credential + "rules: [{hosts: [a.com], action: deny}]\n"),
              ElementsAre(HasSubstr("no rule lets a request through")));
  EXPECT_THAT(warnings(credential + "rules: [{hosts: ['a.com:8443']}]\n"),
              ElementsAre(HasSubstr("no rule lets a request through")));
  EXPECT_THAT(warnings(credential + "rules: [{hosts: [a.com], methods: [GET]}]\n"), IsEmpty());
}

TEST(Lint, FindsDenialsThatLeaveAPortOpen) {
  EXPECT_THAT(warnings("rules:\n  - {name: no admin, hosts: [a.com], paths: ['/admin/**'], action: deny}\n  - {name: all, "
                       "hosts: [a.com], ports: [443, 8443]}\n"),
              ElementsAre(HasSubstr("3 rule `no admin` does not deny port 8443, which rule `all`")));
}

TEST(Lint, WarnsOfWideOpenings) {
  EXPECT_THAT(warnings("default: log\n"), ElementsAre(HasSubstr("1 `default: log` lets through")));
  EXPECT_THAT(warnings("rules: [{hosts: [a.com], addresses: [169.254.0.0/16]}]\n"),
              ElementsAre(HasSubstr("169.254.169.254")));
  EXPECT_THAT(warnings("rules: [{hosts: ['*'], addresses: [10.0.0.0/8]}]\n"), ElementsAre(HasSubstr("every name")));
}

std::string credential(const std::string& hosts, const std::string& rest = "") {
  return "credentials:\n  c: {from: env:A, hosts: [" + hosts + "], inject: {header: X, format: '{secret}'}" + rest + "}\n";
}

TEST(Lint, FindsWildcardsOnPublicSuffixes) {
  for (const char* host : {"'*.com'", "'*.co.uk'", "'*.github.io'", "'*.xn--p1ai'"}) {
    EXPECT_THAT(warnings(std::string("rules: [{hosts: [") + host + "]}]\n"), ElementsAre(HasSubstr("anyone can have there")))
        << host;
    EXPECT_THAT(warnings(credential(host) + "rules: [{hosts: [" + host + "], action: ask}]\n"), testing::SizeIs(2)) << host;
  }
  EXPECT_THAT(warnings("rules: [{hosts: ['*.example.com', '*.corp.internal', '*.internal', com, github.io]}]\n"), IsEmpty());
  EXPECT_THAT(warnings("rules: [{hosts: ['*.com'], action: deny}]\n"), IsEmpty());
}

TEST(Lint, LetsAServicesUsersBeRead) {
  EXPECT_THAT(warnings("rules: [{hosts: ['*.githubusercontent.com'], methods: [GET, HEAD]}]\n"), IsEmpty());
  EXPECT_THAT(warnings("rules: [{hosts: ['*.com'], methods: [GET]}]\n"), testing::SizeIs(1));
}

TEST(Lint, WarnsOfCredentialsThatGoFar) {
  EXPECT_THAT(warnings(credential("'*'") + "rules: [{hosts: [a.com]}]\n"),
              ElementsAre(HasSubstr("every host that a rule allows")));
  EXPECT_THAT(warnings(credential("a.com", ", insecure: true") + "rules: [{hosts: [a.com]}]\n"),
              ElementsAre(HasSubstr("plain HTTP")));
}

TEST(Lint, WarnsOfPlainHttpOnlyWhereItIsAskedFor) {
  EXPECT_THAT(warnings("rules: [{hosts: [a.com]}]\n"), IsEmpty());
  EXPECT_THAT(warnings("rules: [{hosts: [a.com], ports: [80, 443]}]\n"), ElementsAre(HasSubstr("opens port 80")));
  EXPECT_THAT(warnings("rules: [{hosts: ['a.com:80']}]\n"), ElementsAre(HasSubstr("opens port 80")));
  EXPECT_THAT(warnings("rules: [{hosts: [a.com], ports: [80], action: deny}]\n"), IsEmpty());
}

TEST(Lint, WarnsOfPrivateAddresses) {
  EXPECT_THAT(warnings("rules: [{hosts: [10.0.0.1]}]\n"), ElementsAre(HasSubstr("does not open `10.0.0.1`")));
  EXPECT_THAT(warnings("rules: [{hosts: [10.0.0.1], addresses: [10.0.0.0/8]}]\n"), IsEmpty());
  EXPECT_THAT(warnings("rules: [{hosts: ['::1'], addresses: ['::1/128']}]\n"),
              ElementsAre(HasSubstr("this machine itself")));
  EXPECT_THAT(warnings("rules: [{hosts: [93.184.216.34]}]\n"), IsEmpty());
}

TEST(Lint, FindsRulesWhoseTimeIsOver) {
  EXPECT_THAT(warnings("rules: [{hosts: [a.com], when: ['2020-01-01T00:00Z/2020-02-01T00:00Z']}]\n"),
              ElementsAre(HasSubstr("is over")));
  EXPECT_THAT(warnings("rules: [{hosts: [a.com], when: ['2020-01-01T00:00Z/2020-02-01T00:00Z', mon]}]\n"), IsEmpty());
  EXPECT_THAT(warnings("rules: [{hosts: [a.com], when: ['2020-01-01T00:00Z/9020-02-01T00:00Z']}]\n"), IsEmpty());
}

TEST(Lint, WarnsOfProgramsThatTheSandboxCanReplace) {
  for (const char* path : {"/tmp/x", "/home/u/bin/tool", "'/**'", "'/*/bin/git'"})
    EXPECT_THAT(warnings(std::string("rules: [{hosts: [a.com], process: [") + path + "]}]\n"),
                ElementsAre(HasSubstr("any program")))
        << path;
  EXPECT_THAT(warnings("rules: [{hosts: [a.com], process: [/usr/bin/git, '/usr/lib/git-core/**', /homely/x]}]\n"),
              IsEmpty());
}

// Each row: a wide rule and a narrow one on the same host.
TEST(Lint, CallsARuleCoveredOnlyWhenEveryConditionIs) {
  struct Row {
    const char* wide;
    const char* narrow;
    bool covered;
  };
  const Row table[] = {
      {"query: {a: '*'}", "query: {a: x, b: y}", true},
      {"query: {a: x}", "query: {b: x}", false},
      {"query: {a: x}", "methods: [GET]", false},
      {"headers: {x-a: 'd*'}", "headers: {X-A: 'data-*'}", true},
      {"headers: {x-a: 'data-*'}", "headers: {X-A: 'd*'}", false},
      {"content_types: ['image/*']", "content_types: [image/png]", true},
      {"content_types: [image/png]", "content_types: ['image/*']", false},
      {"content_types: [image/png]", "methods: [POST]", false},
      {"when: [mon]", "when: [mon]", true},
      {"when: [mon]", "when: [mon, tue]", false},
      {"when: [mon]", "methods: [GET]", false},
      {"process: ['/usr/bin/*']", "process: [/usr/bin/git]", true},
      {"process: [/usr/bin/git]", "methods: [GET]", false},
      {"graphql: {operations: [query, mutation]}", "graphql: {operations: [query], fields: [a]}", true},
      {"graphql: {fields: [a]}", "graphql: {operations: [query]}", false},
      {"graphql: {}", "methods: [GET]", false},
      {"mcp: {methods: ['tools/*']}", "mcp: {tools: [x]}", true},
      {"mcp: {tools: ['x*']}", "mcp: {tools: [xy]}", true},
      {"mcp: {tools: [x]}", "mcp: {methods: [tools/call]}", false},
      {"mcp: {}", "jsonrpc: {}", false},
      {"websocket: false", "methods: [GET]", true},
      {"websocket: true", "methods: [GET]", false},
      {"paths: ['/**']", "websocket: true", false},
      {"paths: ['/**']", "rate: 5/s", false},
      {"paths: ['/**']", "body_max: 5", false},
      {"rate: 5/s", "methods: [GET]", true},
  };
  for (const auto& [wide, narrow, covered] : table) {
    const auto found = warnings(std::string("rules:\n  - {name: wide, hosts: [a.com], ") + wide +
                                "}\n  - {name: narrow, hosts: [a.com], " + narrow + "}\n");
    const bool told =
        std::ranges::any_of(found, [](const auto& text) { return text.find("rule `narrow` adds") != std::string::npos; });
    EXPECT_EQ(told, covered) << wide << " | " << narrow;
  }
}

TEST(Lint, KnowsThatADenialCoversHandshakesAndTunnels) {
  EXPECT_THAT(
      warnings(
          "rules:\n  - {name: dead, hosts: [a.com], websocket: true}\n  - {name: wall, hosts: [a.com], action: deny}\n"),
      ElementsAre(HasSubstr("`dead` never decides")));
  EXPECT_THAT(
      warnings("rules:\n  - {name: dead, hosts: [a.com], rate: 1/s}\n  - {name: wall, hosts: ['*'], action: deny}\n"),
      ElementsAre(HasSubstr("`dead` never decides")));
  EXPECT_THAT(warnings("rules:\n  - {name: dead, tcp: ['a.com:443']}\n  - {name: wall, hosts: [a.com], action: deny}\n"),
              ElementsAre(HasSubstr("`dead` never decides")));
  EXPECT_THAT(warnings("rules:\n  - {name: raw, tcp: ['a.com:443']}\n  - {name: web, hosts: [a.com]}\n"), IsEmpty());
}

TEST(Lint, FindsEqualNames) {
  EXPECT_THAT(warnings("rules:\n  - {name: a, hosts: [a.com]}\n  - {name: a, hosts: [b.com]}\n"),
              ElementsAre(HasSubstr("4 rule `a` has the name")));
}

TEST(Lint, FindsUnusualMethods) {
  EXPECT_THAT(warnings("rules: [{hosts: [a.com], methods: [GTE]}]\n"), ElementsAre(HasSubstr("unusual")));
  EXPECT_THAT(warnings("rules: [{hosts: [a.com], methods: [GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, PROPFIND]}]\n"),
              IsEmpty());
}

}  // namespace
}  // namespace weir::policy
