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
    const auto document = random_document(dice, kLoadable);
    const auto text = to_yaml(document);
    ASSERT_EQ(first_difference(reloaded(text), without_places(document)), "") << "seed " << seed << "\n" << text;
  }
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
                                  .inject = {"Authorization", "Bearer {secret}"},
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
