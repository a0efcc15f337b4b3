// What a run with a login says in the policy, and which files it shows.
#include <gmock/gmock.h>

#include "launch/logins/policy_text.h"
#include "logins.h"
#include "policy/loader.h"

namespace weir::launch {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

LoginParts parts_of(const std::string& name, const std::string& text, const std::string& account = "default") {
  auto parts = login_parts(*known(name).login, take(name, text).form, account);
  EXPECT_TRUE(parts) << parts.error().message;
  return std::move(*parts);
}

policy::Document loaded(const std::string& text) {
  auto loaded = policy::load_text(text, "login");
  for (const auto& diagnostic : loaded.diagnostics)
    if (diagnostic.severity == policy::Diagnostic::Severity::error) ADD_FAILURE() << policy::format(diagnostic) << "\n" << text;
  return std::move(loaded.document);
}

constexpr const char* kAws = "[default]\naws_access_key_id = AKIAREAL\naws_secret_access_key = REAL\n[work]\naws_access_key_id = AKIAWORK\naws_secret_access_key = WORK\n";

TEST(LoginPolicy, IsLoadedAsAnyOther) {
  for (const auto& [name, text] : std::vector<std::pair<std::string, std::string>>{
           {"claude", R"({"claudeAiOauth": {"accessToken": "sk-ant-oat01-A", "refreshToken": "sk-ant-ort01-B"}})"},
           {"codex", R"({"tokens": {"id_token": "eyJ.eyJ.x", "access_token": "eyJ.eyJ.y", "refresh_token": "rt_z"}})"},
           {"gemini", R"({"access_token": "ya29.a", "refresh_token": "1//0b", "id_token": "eyJ.eyJ.x", "token_type": "Bearer"})"},
           {"gcloud", R"({"type": "authorized_user", "client_secret": "x", "refresh_token": "1//0b"})"},
           {"gh", "github.com:\n  oauth_token: gho_A\n  users:\n    a b:\n      oauth_token: gho_B\n"},
           {"aws", kAws},
           {"npm", "//h.example:81/:_authToken=a\n//h.example/x/:_auth=" + base64_encode("a:b") + "\n"},
           {"docker", R"({"auths": {"h.example": {"auth": ")" + base64_encode("a:b") + R"("}, "tok.example": {"identitytoken": "x"}}})"},
           {"git", "https://a:b@h.example\n"}}) {
    const auto parts = parts_of(name, text);
    const auto document = loaded(parts.policy);
    EXPECT_FALSE(document.credentials.empty()) << name;
    EXPECT_TRUE(document.rules.empty());
    for (const auto& credential : document.credentials) {
      EXPECT_THAT(credential.from, ::testing::StartsWith("store:" + name + "/"));
      // Every mark is one of a credential that has a placeholder.
      EXPECT_TRUE(credential.substitutes() || name == "aws") << credential.name;
    }
    for (const auto& mount : parts.mounts) {
      ASSERT_TRUE(mount.content) << name;
      EXPECT_THAT(mount.target, ::testing::StartsWith("/home/ann/."));
      (void)replace_marks(*mount.content, [&](const Mark& mark) -> std::string {
        const auto named = [&](const policy::Credential& one) { return one.name == mark.name; };
        EXPECT_TRUE(std::ranges::any_of(document.credentials, named)) << mark.name;
        return {};
      });
    }
  }
}

TEST(LoginPolicy, ClaudesRefreshIsCaughtWhereOldAndNewVersionsRefresh) {
  const auto parts = parts_of("claude", R"({"claudeAiOauth": {"accessToken": "sk-ant-oat01-A", "refreshToken": "sk-ant-ort01-B"}})");
  const auto document = loaded(parts.policy);
  ASSERT_EQ(document.oauth.size(), 2U);
  EXPECT_EQ(document.oauth[0].host, "platform.claude.com");
  EXPECT_EQ(document.oauth[0].path, "/v1/oauth/token");
  EXPECT_EQ(document.credentials[0].substitute.shape, "sk-ant-oat01-{random:95}");
  EXPECT_TRUE(document.credentials[1].substitute.in_body);
  EXPECT_FALSE(document.credentials[1].substitute.in_header);
  EXPECT_TRUE(document.credentials[1].substitute.elsewhere_logged);
  EXPECT_EQ(parts.mounts.at(0).target, "/home/ann/.claude/.credentials.json");
}

TEST(LoginPolicy, OneAwsAccountIsUsedAndTheOthersHaveNoKeysInside) {
  const auto parts = parts_of("aws", kAws, "work");
  const auto document = loaded(parts.policy);
  ASSERT_EQ(document.credentials.size(), 1U);
  EXPECT_EQ(document.credentials[0].from, "store:aws/work");
  EXPECT_EQ(document.credentials[0].inject.kind, policy::Injection::Kind::aws_sigv4);
  EXPECT_EQ(parts.mounts.at(0).content,
            "[default]\naws_access_key_id = \naws_secret_access_key = \n[work]\naws_access_key_id = AKIAWEIRSIGNSOUTSIDE\n"
            "aws_secret_access_key = weir-signs-outside-the-sandbox-with-keys\n");
  const auto none = login_parts(*known("aws").login, take("aws", kAws).form, "nobody");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, "login_account_unknown");
  EXPECT_THAT(none.error().message, HasSubstr("default, work"));
}

TEST(LoginPolicy, ALoginAtAHostOfOnesOwnIsBoundToThatHost) {
  const auto document = loaded(parts_of("gh", "ghe.corp.example:\n  oauth_token: gho_A\n").policy);
  std::vector<std::string> hosts;
  for (const auto& host : document.credentials.at(0).hosts) hosts.push_back(host.name);
  EXPECT_THAT(hosts, ElementsAre("ghe.corp.example", "api.ghe.corp.example", "uploads.ghe.corp.example"));
  ASSERT_EQ(document.oauth.size(), 1U);
  EXPECT_EQ(document.oauth[0].host, "ghe.corp.example");
}

TEST(LoginPolicy, AFormOfAnotherProfileIsRefused) {
  const auto form = take("gh", "github.com:\n  oauth_token: gho_A\n").form;
  const auto parts = login_parts(*known("npm").login, form, "");
  ASSERT_FALSE(parts);
  EXPECT_EQ(parts.error().code, "login_form_invalid");
}

TEST(LoginPolicy, NamesFromAFileCannotSayMoreThanAName) {
  // What stands in the user's file goes into a policy's text: it must stay what it is.
  const std::string odd = "ev\\\"il\\n  x: y.example";
  const auto taken = take("docker", R"({"auths": {")" + odd + R"(": {"auth": ")" + base64_encode("a:b") + R"("}}})");
  const auto parts = login_parts(*known("docker").login, taken.form, "");
  ASSERT_TRUE(parts);
  const auto result = policy::load_text(parts->policy, "login");
  EXPECT_FALSE(result.ok());  // such a host is none
  for (const auto& credential : result.document.credentials) EXPECT_THAT(credential.name, Not(HasSubstr("\"")));
}

}  // namespace
}  // namespace weir::launch
