#include "policy/lint.h"

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
