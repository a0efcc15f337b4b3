#include "policy/formatting.h"
#include "policy_testing.h"
#include "random_documents.h"

namespace weir::policy {
namespace {

Document reloaded(const std::string& text) {
  const auto loaded = load_text(text, "/p.yaml");
  EXPECT_TRUE(loaded.ok()) << all_messages(loaded) << text;
  return without_places(loaded.document);
}

TEST(ToYaml, WritesWhatLoadsAsTheSameDocument) {
  for (unsigned seed = 0; seed < 3000; ++seed) {
    Dice dice(seed);
    const auto document = loadable_document(dice);
    const auto text = to_yaml(document);
    ASSERT_EQ(first_difference(reloaded(text), without_places(document)), "") << "seed " << seed << "\n" << text;
  }
}

TEST(ToYaml, WritesEveryKeyThatThereIs) {
  std::string all;
  for (unsigned seed = 0; seed < 500; ++seed) {
    Dice dice(seed);
    all += to_yaml(loadable_document(dice));
  }
  for (const char* key :
       {"version", "default", "credentials", "rules",  "upstream",  "limits",  "from",       "insecure",      "inject",
        "name",    "hosts",   "tcp",         "tls",    "ports",     "methods", "paths",      "encoded_slash", "query",
        "headers", "content_types",          "websocket",           "graphql", "jsonrpc",    "mcp",           "tools",
        "process", "when",    "body_max",    "rate",   "addresses", "action",  "operations", "fields",        "resolve",
        "proxy",   "ca_file", "connections", "request_body",        "response_body",         "requests_per_minute",
        "inspected_body",     "approval_wait", "ttl", "refresh", "substitute", "oauth", "leaks", "basic", "username", "password",
        "query", "cookie", "format", "aws_sigv4", "service", "env", "shape", "in", "elsewhere", "oauth2", "token_url", "grant", "client_id",
        "client_secret", "client_auth", "scopes", "parameters", "github_app", "app", "installation", "api", "repositories", "permissions",
        "google", "subject", "aws_role", "role", "region", "session", "external_id", "duration", "web_identity", "endpoint", "keep"})
    EXPECT_NE(all.find(std::string(key) + ":"), std::string::npos) << key;
}

TEST(ToYaml, WritesOnceWhatWasSpelledInTwoWays) {
  const auto document = document_of(
      "rules:\n  - hosts: [a.com, A.com, a.com., \"[::1]\", \"::1\"]\n    when: [\"mon,tue\", \"mon-tue\", mon-tue 00:00-24:00]\n"
      "  - tcp: [\"a.com:1\", \"A.com:1\"]\n");
  EXPECT_EQ(to_yaml(document),
            "version: 1\n\nrules:\n  - hosts: [a.com, \"::1\"]\n    when: [\"mon,tue\"]\n  - tcp: [\"a.com:1\"]\n");
}

TEST(ToYaml, WritesParametersWithLongNames) {
  for (const std::string& name : {std::string(1024, 'x'), std::string(1024, '"')}) {
    auto document = document_of("rules: [{hosts: [a.com], query: {b: c, d: \"*\"}}]\n");
    document.file = "/p.yaml";
    document.rules[0].query[1].name = name;
    const auto text = to_yaml(document);
    EXPECT_EQ(first_difference(reloaded(text), without_places(document)), "") << text;
    EXPECT_EQ(format_text(text, "/p.yaml").text, text);
  }
}

TEST(ToYaml, KeepsWhatStandsBesidePresets) {
  int loaded_with_presets = 0;
  for (unsigned seed = 0; seed < 300; ++seed) {
    Dice dice(seed);
    auto text = to_yaml(loadable_document(dice));
    text.insert(text.find("version: 1\n") + 11, "use: [anthropic, github-read]\n");
    const auto loaded = load_text(text, "/p.yaml");
    if (!loaded.ok()) continue;  // a tunnel to a preset's place
    ++loaded_with_presets;
    const auto again = to_yaml(loaded.document);
    ASSERT_EQ(first_difference(reloaded(again), without_places(loaded.document)), "") << "seed " << seed << "\n" << again;
  }
  EXPECT_GT(loaded_with_presets, 50);
}

TEST(ToYaml, LeavesToUseWhatPresetsBroughtIn) {
  const auto document = document_of("use: [anthropic]\nrules: [{hosts: [a.com]}]\n");
  EXPECT_EQ(to_yaml(document), "version: 1\nuse: [anthropic]\n\nrules:\n  - hosts: [a.com]\n");
}

TEST(ToYaml, LooksLikeAFileWrittenByHand) {
  Document document;
  document.rules.push_back({.name = "read github",
                            .hosts = {{.name = "github.com", .port = {}}, {HostPattern::Kind::below, "github.com", 8443}},
                            .methods = {"GET", "HEAD"},
                            .paths = {"/a", "/a/**"},
                            .place = {}});
  document.rules.push_back({.name = "rule 2", .action = Action::deny, .hosts = {{.name = "::1", .port = {}}}, .place = {}});
  document.credentials.push_back({.name = "token",
                                  .from = "env:TOKEN",
                                  .hosts = {{.name = "github.com", .port = {}}},
                                  .inject = {Injection::Kind::header, "Authorization", "Bearer {secret}", {}, {}, {}},
                                  .place = {}});
  document.limits.request_body = 100U << 20;
  const std::string comments[] = {"412 requests\n3 paths"};
  EXPECT_EQ(to_yaml(document, comments), R"(version: 1

credentials:
  token:
    from: env:TOKEN
    hosts: [github.com]
    inject: {header: Authorization, format: "Bearer {secret}"}

rules:
  # 412 requests
  # 3 paths
  - name: read github
    hosts: [github.com, "*.github.com:8443"]
    methods: [GET, HEAD]
    paths: [/a, "/a/**"]
  - hosts: ["::1"]
    action: deny

limits: {request_body: 100MiB}
)");
}

}  // namespace
}  // namespace weir::policy
