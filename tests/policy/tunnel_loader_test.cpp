// Rules for connections that are not looked into, and what may not stand for the same place.
#include "policy_testing.h"

namespace weir::policy {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::vector<std::string> errors_of(const std::string& rules) { return errors_in("version: 1\nrules:\n" + rules); }

TEST(LoadTunnel, ReadsTcpAndPassthrough) {
  const auto rules =
      document_of(
          "rules:\n  - {tcp: ['db.example:5432', '*.x.example:22', '*:99'], addresses: [10.0.0.0/8], rate: 5/min}\n"
          "  - {hosts: [pinned.example], ports: [8443], tls: passthrough, process: [/bin/x], action: ask}\n")
          .rules;
  EXPECT_TRUE(rules[0].tcp);
  EXPECT_THAT(rules[0].hosts, ElementsAre(HostPattern{HostPattern::Kind::exact, "db.example", 5432},
                                          HostPattern{HostPattern::Kind::below, "x.example", 22},
                                          HostPattern{HostPattern::Kind::any, "", 99}));
  EXPECT_TRUE(rules[1].passthrough);
  EXPECT_FALSE(rules[1].tcp);
}

TEST(LoadTunnel, TakesNoConditionOnRequests) {
  for (const char* key :
       {"ports: [1]", "methods: [GET]", "paths: [/]", "query: {a: b}", "headers: {a: b}", "content_types: [a/b]",
        "body_max: 1", "websocket: true", "graphql: {}", "jsonrpc: {}", "mcp: {}", "tls: passthrough"})
    EXPECT_THAT(errors_of(std::string("  - tcp: ['a:1']\n    ") + key + "\n"),
                ElementsAre(AllOf(StartsWith("4:5 "), HasSubstr("has no place"))))
        << key;
  for (const char* key : {"methods: [GET]", "paths: [/]", "query: {a: b}", "headers: {a: b}", "content_types: [a/b]",
                          "body_max: 1", "websocket: true", "graphql: {}", "jsonrpc: {}", "mcp: {}"})
    EXPECT_THAT(
        errors_of(std::string("  - {hosts: [a], tls: passthrough}\n  - {hosts: [b], tls: passthrough, ") + key + "}\n"),
        ElementsAre(AllOf(StartsWith("4:36 "), HasSubstr("has no place"))))
        << key;
}

TEST(LoadTunnel, NeedsAPlace) {
  EXPECT_THAT(errors_of("  - tcp: [db.example]\n"), ElementsAre(HasSubstr("3:11 `db.example` has no port")));
  EXPECT_THAT(errors_of("  - {tcp: ['a:1'], hosts: [a]}\n"), ElementsAre(HasSubstr("either `hosts` or `tcp`")));
  EXPECT_THAT(errors_of("  - tls: passthrough\n"), ElementsAre(HasSubstr("needs the key `hosts`")));
  EXPECT_THAT(errors_of("  - {hosts: [a], tls: passthru}\n"), ElementsAre(HasSubstr("carries TLS unopened")));
  EXPECT_THAT(errors_of("  - {hosts: [a], tls: passthrough, action: deny}\n"),
              ElementsAre(HasSubstr("has no place in a rule that denies")));
  EXPECT_THAT(errors_of("  - {tcp: ['a:1'], action: deny}\n"), IsEmpty());
}

TEST(LoadTunnel, MayNotGoPastARuleThatLooksInside) {
  const std::string tunnel = "  - {name: raw, hosts: ['*.a.com'], tls: passthrough}\n";
  EXPECT_THAT(
      errors_of(tunnel + "  - {name: careful, hosts: [x.a.com], methods: [GET]}\n"),
      ElementsAre(AllOf(StartsWith("3:5 "), HasSubstr("rule `raw` (line 3)"), HasSubstr("rule `careful` (line 4)"))));
  EXPECT_THAT(errors_of(tunnel + "  - {hosts: ['*'], paths: ['/admin/**'], action: deny}\n"), testing::SizeIs(1));
  EXPECT_THAT(errors_of(tunnel + "  - {hosts: ['*.b.a.com'], body_max: 1}\n"), testing::SizeIs(1));
  EXPECT_THAT(errors_of(tunnel + "  - {hosts: [x.a.com]}\n"), IsEmpty());
  EXPECT_THAT(errors_of(tunnel + "  - {hosts: [x.a.com], action: deny}\n"), IsEmpty());
  EXPECT_THAT(errors_of(tunnel + "  - {hosts: [a.com], methods: [GET]}\n"), IsEmpty());
  EXPECT_THAT(errors_of(tunnel + "  - {hosts: ['x.a.com:8443'], methods: [GET]}\n"), IsEmpty());
}

TEST(LoadTunnel, ToAnAddressIsUnderADenialOfEverything) {
  const std::string tunnel = "  - {tcp: ['10.0.0.1:443']}\n";
  EXPECT_THAT(errors_of(tunnel + "  - {hosts: ['*'], methods: [POST], action: deny}\n"), testing::SizeIs(1));
  EXPECT_THAT(errors_of(tunnel + "  - {hosts: ['*'], methods: [POST]}\n"), IsEmpty());
}

TEST(LoadTunnel, MayNotLeadToACredentialsPlace) {
  const std::string credential =
      "version: 1\ncredentials:\n  c: {from: env:A, hosts: [a.com], inject: {header: X, format: '{secret}'}}\nrules:\n";
  EXPECT_THAT(errors_in(credential + "  - {name: raw, tcp: ['a.com:443']}\n"),
              ElementsAre(AllOf(StartsWith("5:5 "), HasSubstr("credential `c` (line 3)"))));
  EXPECT_THAT(errors_in(credential + "  - {hosts: ['*'], tls: passthrough}\n"), testing::SizeIs(1));
  EXPECT_THAT(errors_in(credential + "  - {tcp: ['a.com:22']}\n"), IsEmpty());
  EXPECT_THAT(errors_in(credential + "  - {tcp: ['a.com:443'], action: deny}\n"), IsEmpty());
}

TEST(LoadTunnel, MayNotGoPastAPreset) {
  EXPECT_THAT(errors_in("version: 1\nuse: [anthropic]\nrules: [{hosts: ['*.anthropic.com'], tls: passthrough}]\n"),
              testing::Contains(AllOf(StartsWith("3:9 "), HasSubstr("preset:anthropic, line "))));
}

}  // namespace
}  // namespace weir::policy
