// What each key of a policy file comes to.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "policy_testing.h"

namespace weir::policy {
namespace {

TEST(Load, ReadsEveryKeyOfTheLanguage) {
  const auto document = document_of(R"(
default: log
credentials:
  token:
    from: env:TOKEN
    hosts: [api.example.com, "*.example.org:8443"]
    inject: {header: Authorization, format: "Bearer {secret}"}
    insecure: true
rules:
  - name: everything at once
    hosts: [Example.COM., "*.Example.com", "*", "a.com:8080", "[::1]:99"]
    ports: [443, 8443]
    methods: [GET, PROPFIND]
    paths: ["/a/*", "/b/**"]
    encoded_slash: allow
    addresses: [10.0.0.0/8, "fd00::/8"]
    action: log
  - hosts: [b.com]
    action: deny
upstream:
  ca_file: corp-root.pem
  proxy: http://proxy.example:3128
  resolve: {api.test.example: "127.0.0.1:8443", other.example: "::1"}
limits: {connections: 7, request_body: 100MiB, response_body: 10GiB, requests_per_minute: 6000, inspected_body: 2MiB, approval_wait: 30s}
)");
  EXPECT_EQ(document.file, "/etc/weir/test.yaml");
  EXPECT_EQ(document.default_action, Action::log);
  ASSERT_EQ(document.credentials.size(), 1U);
  const auto& token = document.credentials[0];
  EXPECT_EQ(token.name, "token");
  EXPECT_EQ(token.from, "env:TOKEN");
  EXPECT_EQ(token.inject, (Injection{Injection::Kind::header, "Authorization", "Bearer {secret}", {}, {}, {}}));
  EXPECT_TRUE(token.insecure);
  EXPECT_EQ(token.hosts[1], (HostPattern{HostPattern::Kind::below, "example.org", 8443}));
  EXPECT_EQ(token.place, (Place{"/etc/weir/test.yaml", 5, 3}));
  ASSERT_EQ(document.rules.size(), 2U);
  const auto& rule = document.rules[0];
  EXPECT_EQ(rule.name, "everything at once");
  EXPECT_THAT(rule.hosts, testing::ElementsAre(HostPattern{HostPattern::Kind::exact, "example.com", {}},
                                               HostPattern{HostPattern::Kind::below, "example.com", {}},
                                               HostPattern{HostPattern::Kind::any, "", {}},
                                               HostPattern{HostPattern::Kind::exact, "a.com", 8080},
                                               HostPattern{HostPattern::Kind::exact, "::1", 99}));
  EXPECT_THAT(rule.ports, testing::ElementsAre(443, 8443));
  EXPECT_THAT(rule.methods, testing::ElementsAre("GET", "PROPFIND"));
  EXPECT_THAT(rule.paths, testing::ElementsAre("/a/*", "/b/**"));
  EXPECT_TRUE(rule.encoded_slash);
  EXPECT_THAT(rule.addresses, testing::ElementsAre("10.0.0.0/8", "fd00::/8"));
  EXPECT_EQ(rule.action, Action::log);
  EXPECT_EQ(document.rules[1].name, "rule 2");
  EXPECT_EQ(document.rules[1].place.line, 19);
  EXPECT_EQ(document.upstream.ca_file, "/etc/weir/corp-root.pem");
  EXPECT_EQ(document.upstream.proxy, "http://proxy.example:3128");
  EXPECT_THAT(document.upstream.resolve, testing::ElementsAre(FixedAddress{"api.test.example", "127.0.0.1", 8443},
                                                              FixedAddress{"other.example", "::1", {}}));
  EXPECT_EQ(document.limits, (Limits{7, 100ULL << 20, 10ULL << 30, 6000, 2ULL << 20, 30}));
}

TEST(Load, DeniesByDefault) { EXPECT_EQ(document_of("").default_action, Action::deny); }

TEST(Load, HasLimitsWithoutBeingAsked) { EXPECT_EQ(document_of("").limits, Limits{}); }

TEST(Load, AllowsByDefaultInARule) { EXPECT_EQ(document_of("rules: [{hosts: [a.com]}]").rules[0].action, Action::allow); }

TEST(Load, ReadsSizes) {
  const auto body = [](const std::string& size) {
    return document_of("limits: {request_body: " + size + "}").limits.request_body;
  };
  EXPECT_EQ(body("0"), 0U);
  EXPECT_EQ(body("4096"), 4096U);
  EXPECT_EQ(body("64KiB"), 65536U);
  EXPECT_EQ(body("1TiB"), 1ULL << 40);
}

TEST(Load, ResolvesPathsFromTheFilesFolder) {
  const auto from = [](const std::string& path) {
    return document_of("credentials: {c: {from: 'file:" + path +
                       "', hosts: [a.com], inject: {header: X, format: '{secret}'}}}")
        .credentials[0]
        .from;
  };
  EXPECT_EQ(from("secret"), "file:/etc/weir/secret");
  EXPECT_EQ(from("../x/secret"), "file:/etc/x/secret");
  EXPECT_EQ(from("/run/secret"), "file:/run/secret");
  const char* home = std::getenv("HOME");
  if (home != nullptr && home[0] == '/') {
    EXPECT_TRUE(from("~/secret").starts_with("file:/") && from("~/secret").ends_with("/secret"));
  }
}

TEST(Load, MakesRelativeFilesAbsolute) {
  const auto loaded = load_text("version: 1\nupstream: {ca_file: root.pem}\n", "sub/policy.yaml");
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded.document.upstream.ca_file, (std::filesystem::current_path() / "sub/root.pem").string());
}

TEST(Load, ReadsFiles) {
  const auto path = testing::TempDir() + "weir_load_test.yaml";
  std::ofstream(path) << "version: 1\nrules: [{hosts: [a.com]}]\n";
  const auto loaded = load_file(path);
  EXPECT_TRUE(loaded.ok()) << all_messages(loaded);
  EXPECT_EQ(loaded.document.rules[0].place.file, path);
  std::filesystem::remove(path);
  const auto missing = load_file(path);
  ASSERT_FALSE(missing.ok());
  EXPECT_THAT(format(missing.diagnostics[0]), testing::HasSubstr(path));
}

TEST(Use, BringsInRulesAndCredentialsOfPresets) {
  const auto document = document_of("use: [anthropic, git-clone]\nrules: [{name: mine, hosts: [a.com]}]\n");
  EXPECT_THAT(document.use, testing::ElementsAre("anthropic", "git-clone"));
  EXPECT_EQ(document.rules[0].name, "mine");
  ASSERT_EQ(document.credentials.size(), 1U);
  EXPECT_EQ(document.credentials[0].name, "anthropic");
  EXPECT_EQ(document.credentials[0].place.file, "preset:anthropic");
  EXPECT_THAT(document.rules, testing::Contains(testing::Field(&Rule::name, "git push")));
}

TEST(Use, LetsTheFileReplaceACredentialOfTheSameName) {
  const auto document = document_of(
      "use: [anthropic]\ncredentials:\n  anthropic: {from: store:key, hosts: [api.anthropic.com], inject: {header: "
      "X-Api-Key, format: '{secret}'}}\n");
  ASSERT_EQ(document.credentials.size(), 1U);
  EXPECT_EQ(document.credentials[0].from, "store:key");
}

TEST(Use, LetsTwoPresetsShareACredential) {
  const auto document = document_of("use: [github-read, github-write]\n");
  EXPECT_EQ(document.credentials.size(), 1U);
}

TEST(Use, CanBeNarrowedWithDenyRules) {
  const auto policy =
      policy_of("use: [github-read]\nrules: [{hosts: [api.github.com], paths: ['/gists/**'], action: deny}]\n");
  EXPECT_EQ(verdict(policy, "GET", "https://api.github.com/gists/1"), Action::deny);
  EXPECT_EQ(verdict(policy, "GET", "https://api.github.com/repos/a/b"), Action::allow);
}

}  // namespace
}  // namespace weir::policy
