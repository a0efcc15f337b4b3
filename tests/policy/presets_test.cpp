#include <algorithm>
#include <set>

#include "policy/lint.h"
#include "policy_testing.h"

namespace weir::policy {
namespace {

using enum Action;

TEST(Presets, AllLoadWithoutErrorsOrWarnings) {
  ASSERT_FALSE(presets().empty());
  for (const auto& preset : presets()) {
    auto loaded = load_text(preset.text, "preset.yaml");
    add_warnings(loaded, preset.text);
    EXPECT_THAT(loaded.diagnostics, testing::IsEmpty()) << preset.name << "\n" << all_messages(loaded);
    EXPECT_TRUE(preset.text.starts_with("# ")) << preset.name << " does not say what it is for";
    EXPECT_EQ(loaded.document.default_action, deny) << preset.name;
    EXPECT_EQ(loaded.document.limits, Limits{}) << preset.name;
    EXPECT_EQ(loaded.document.upstream, Upstream{}) << preset.name;
  }
}

TEST(Presets, GoTogether) {
  std::string use = "use: [";
  for (const auto& preset : presets()) use += std::string(preset.name) + ",";
  EXPECT_TRUE(Policy::compile(document_of(use + "]\n")));
}

TEST(Presets, AnthropicAllowsWhatClaudeCodeAsks) {
  const auto policy = policy_of("use: [anthropic]\n");
  EXPECT_EQ(verdict(policy, "HEAD", "https://api.anthropic.com/"), allow);
  EXPECT_EQ(verdict(policy, "POST", "https://api.anthropic.com/v1/messages?beta=true"), allow);
  EXPECT_EQ(verdict(policy, "POST", "https://api.anthropic.com/v1/messages/count_tokens"), allow);
  EXPECT_EQ(verdict(policy, "POST", "https://api.anthropic.com/v1/organizations/users"), deny);
  EXPECT_EQ(verdict(policy, "POST", "https://anthropic.com/v1/messages"), deny);
  std::vector<std::uint32_t> bound;
  policy.credentials_for("https", "api.anthropic.com", 443, bound);
  ASSERT_EQ(bound.size(), 1U);
  EXPECT_EQ(policy.document().credentials[bound[0]].inject, (Injection{Injection::Kind::header, "x-api-key", "{secret}", {}, {}, {}}));
  EXPECT_EQ(policy.document().credentials[bound[0]].from, "env:ANTHROPIC_API_KEY");
}

TEST(Presets, OpenaiAndGeminiAllowInference) {
  const auto policy = policy_of("use: [openai, gemini]\n");
  EXPECT_EQ(verdict(policy, "POST", "https://api.openai.com/v1/responses"), allow);
  EXPECT_EQ(verdict(policy, "POST", "https://api.openai.com/v1/chat/completions"), allow);
  EXPECT_EQ(verdict(policy, "DELETE", "https://api.openai.com/v1/models/x"), deny);
  EXPECT_EQ(verdict(policy, "POST", "https://api.openai.com/v1/files"), deny);
  EXPECT_EQ(verdict(policy, "POST",
                    "https://generativelanguage.googleapis.com/v1beta/models/gemini-x:streamGenerateContent?alt=sse"),
            allow);
  EXPECT_EQ(verdict(policy, "POST", "https://generativelanguage.googleapis.com/v1beta/tunedModels"), deny);
}

TEST(Presets, GitCloneFetchesAndNeverPushes) {
  const auto policy = policy_of("use: [git-clone]\nrules: [{hosts: [github.com]}]\n");  // even beside a rule that opens all
  EXPECT_EQ(verdict(policy, "GET", "https://github.com/o/r.git/info/refs?service=git-upload-pack"), allow);
  EXPECT_EQ(verdict(policy, "POST", "https://github.com/o/r.git/git-upload-pack"), allow);
  EXPECT_EQ(verdict(policy, "GET", "https://github.com/o/r.git/info/refs?service=git-receive-pack"), deny);
  EXPECT_EQ(verdict(policy, "GET", "https://github.com/o/r.git/info/refs?service=git-upload-pack&service=git-receive-pack"), deny);
  EXPECT_EQ(verdict(policy, "GET", "https://github.com/o/r.git/info/refs?service=git%2Dreceive%2Dpack"), deny);
  EXPECT_EQ(verdict(policy, "POST", "https://github.com/o/r.git/git-receive-pack"), deny);
  EXPECT_EQ(verdict(policy, "POST", "https://github.com/o/r.git/git%2Dreceive%2Dpack"), deny);
  EXPECT_EQ(verdict(policy, "POST", "https://github.com/o//git-receive-pack"), deny);
}

TEST(Presets, GitCloneAloneReachesNothingButFetches) {
  const auto policy = policy_of("use: [git-clone]\n");
  EXPECT_EQ(verdict(policy, "GET", "https://github.com/o/r/info/refs?service=git-upload-pack"), allow);
  for (const char* url : {"https://github.com/o/r/info/refs", "https://github.com/o/r/info/refs?service=git-receive-pack",
                          "https://github.com/o/r/info/refs?service=git-upload-pack;service=git-receive-pack",
                          "https://github.com/o/r", "https://github.com/o/r/archive/main.zip"})
    EXPECT_EQ(verdict(policy, "GET", url), deny) << url;
}

TEST(Presets, GithubReadReadsAndGithubWriteHasNoWayToGistsOrSettings) {
  const auto read = policy_of("use: [github-read]\n");
  EXPECT_EQ(verdict(read, "GET", "https://api.github.com/repos/o/r/issues"), allow);
  EXPECT_EQ(verdict(read, "GET", "https://raw.githubusercontent.com/o/r/main/x"), allow);
  EXPECT_EQ(verdict(read, "POST", "https://api.github.com/repos/o/r/issues"), deny);
  EXPECT_EQ(verdict(read, "GET", "https://github.com/o/r/info/refs?service=git-upload-pack"), allow);
  EXPECT_EQ(verdict(read, "GET", "https://github.com/o/r/info/refs?service=git-receive-pack"), deny);
  const auto write = policy_of("use: [github-write]\n");
  EXPECT_EQ(verdict(write, "POST", "https://api.github.com/repos/o/r/issues"), allow);
  EXPECT_EQ(verdict(write, "PUT", "https://api.github.com/repos/o/r/pulls/1/merge"), allow);
  for (const char* path : {"/gists", "/graphql", "/repos/o/r", "/repos/o/r/hooks", "/repos/o/r/keys",
                           "/repos/o/r/collaborators/x", "/user/keys"})
    for (const char* method : {"POST", "PUT", "PATCH", "DELETE"})
      EXPECT_EQ(verdict(write, method, std::string("https://api.github.com") + path), deny) << method << path;
}

TEST(Presets, GitlabReadReadsTheApiAndClonesWithoutPushing) {
  const auto policy = policy_of("use: [gitlab-read]\n");
  EXPECT_EQ(verdict(policy, "GET", "https://gitlab.com/api/v4/projects/group%2Fproject/issues"), allow);
  EXPECT_EQ(verdict(policy, "GET", "https://gitlab.com/a/b/c/d.git/info/refs?service=git-upload-pack"), allow);
  EXPECT_EQ(verdict(policy, "POST", "https://gitlab.com/a/b/c/d.git/git-upload-pack"), allow);
  EXPECT_EQ(verdict(policy, "GET", "https://gitlab.com/a/b/c/d.git/info/refs?service=git-receive-pack"), deny);
  EXPECT_EQ(verdict(policy, "POST", "https://gitlab.com/a/b/c/d.git/git-receive-pack"), deny);
  EXPECT_EQ(verdict(policy, "POST", "https://gitlab.com/api/v4/projects/1/issues"), deny);
}

TEST(Presets, HuggingfaceDownloadsFromWhereverTheHubSendsAndNeverUploads) {
  const auto policy = policy_of("use: [huggingface]\n");
  for (const char* url : {"https://huggingface.co/api/models/o/m/revision/main", "https://huggingface.co/o/m/resolve/main/config.json",
                          "https://huggingface.co/api/models/o/m/xet-read-token/main", "https://cas-server.xethub.hf.co/v1/reconstructions/00",
                          "https://cdn-lfs-us-1.hf.co/repos/a/b", "https://cdn-lfs.huggingface.co/repos/a/b"})
    EXPECT_EQ(verdict(policy, "GET", url), allow) << url;
  EXPECT_EQ(verdict(policy, "POST", "https://huggingface.co/api/models/o/m/paths-info/main"), allow);
  EXPECT_EQ(verdict(policy, "GET", "https://huggingface.co/api/models/o/m/xet-write-token/main"), deny);
  EXPECT_EQ(verdict(policy, "GET", "https://huggingface.co/o/m/info/refs?service=git-receive-pack"), deny);
  for (const char* url : {"https://huggingface.co/api/repos/create", "https://huggingface.co/api/models/o/m/commit/main",
                          "https://huggingface.co/o/m.git/info/lfs/objects/batch", "https://cas-server.xethub.hf.co/v1/xorbs/default/00"})
    EXPECT_EQ(verdict(policy, "POST", url), deny) << url;
}

TEST(Presets, AwsS3ReadsObjectsInBothFormsOfAddress) {
  const auto policy = policy_of("use: [aws-s3]\n");
  EXPECT_EQ(verdict(policy, "GET", "https://bucket.s3.eu-west-1.amazonaws.com/key?versionId=1"), allow);
  EXPECT_EQ(verdict(policy, "GET", "https://s3.eu-west-1.amazonaws.com/bucket/a%2Fkey"), allow);
  EXPECT_EQ(verdict(policy, "GET", "https://my.bucket.s3.dualstack.ap-south-1.amazonaws.com/key"), allow);
  EXPECT_EQ(verdict(policy, "HEAD", "https://bucket.s3.amazonaws.com/key"), allow);
  for (const char* method : {"PUT", "POST", "DELETE"})
    EXPECT_EQ(verdict(policy, method, "https://bucket.s3.eu-west-1.amazonaws.com/key"), deny) << method;
  EXPECT_EQ(verdict(policy, "GET", "https://sts.amazonaws.com/"), deny);
  EXPECT_EQ(verdict(policy, "GET", "https://ec2.eu-west-1.amazonaws.com/"), deny);
}

}  // namespace
}  // namespace weir::policy
