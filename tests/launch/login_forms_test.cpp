// Cutting secrets out of the files in which tools keep their logins, and putting others in their place.
#include <gmock/gmock.h>

#include <cstdlib>

#include "base/encoding.h"
#include "launch/logins/form.h"
#include "launch/logins/policy_text.h"
#include "launch/profile.h"
#include "logins.h"

namespace weir::launch {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

TEST(LoginForms, ClaudesTokensAreCutAndAllElseStaysAsItIs) {
  const std::string text =
      R"({"claudeAiOauth":{"accessToken":"sk-ant-oat01-AAA","refreshToken":"sk-ant-ort01-BBB","expiresAt":1799999999000,"scopes":["user:inference"],"subscriptionType":"max"}})";
  const auto taken = take("claude", text);
  EXPECT_THAT(plain(taken), ElementsAre(Pair("claude/access_token", "sk-ant-oat01-AAA"), Pair("claude/refresh_token", "sk-ant-ort01-BBB")));
  EXPECT_EQ(taken.form.files.at(0).text,
            R"({"claudeAiOauth":{"accessToken":"{placeholder:claude-access}","refreshToken":"{placeholder:claude-refresh}","expiresAt":1799999999000,"scopes":["user:inference"],"subscriptionType":"max"}})");
  EXPECT_EQ(filled(taken), text);
  EXPECT_TRUE(taken.left_out.empty());
}

TEST(LoginForms, WhatClaudeKeepsBesideItsLoginStaysOut) {
  const auto taken = take("claude", R"({"mcpOAuth": {"x|1": {"accessToken": "SECRET-1", "clientSecret": "SECRET-2"}}, "trustedDeviceToken": "SECRET-3",
 "claudeAiOauth": {"accessToken": "sk-ant-oat01-A", "refreshToken": "", "futureToken": "SECRET-4"}, "n": 1})");
  EXPECT_EQ(taken.form.files.at(0).text, R"({"mcpOAuth": {}, "trustedDeviceToken": "",
 "claudeAiOauth": {"accessToken": "{placeholder:claude-access}", "refreshToken": "", "futureToken": ""}, "n": 1})");
  EXPECT_THAT(taken.left_out, ElementsAre("mcpOAuth", "trustedDeviceToken", "claudeAiOauth.futureToken"));
  EXPECT_THAT(plain(taken), ElementsAre(Pair("claude/access_token", "sk-ant-oat01-A")));
}

TEST(LoginForms, JsonEscapesInASecretAreRead) {
  const auto taken = take("claude", R"({"claudeAiOauth": {"accessToken": "a\/b\u0041\"c"}})");
  EXPECT_THAT(plain(taken), ElementsAre(Pair("claude/access_token", "a/bA\"c")));
}

TEST(LoginForms, CodexsClaimsShapeFollowsTheValue) {
  const std::string jwt = "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjF9.c2ln";
  const auto taken = take("codex", R"({"OPENAI_API_KEY": null, "tokens": {"id_token": ")" + jwt + R"(", "access_token": ")" + jwt +
                                       R"(x", "refresh_token": "rt_1.2", "account_id": "acc-1"}, "last_refresh": "2026-01-01T00:00:00Z"})");
  EXPECT_THAT(plain(taken), ElementsAre(Pair("codex/id_token", jwt), Pair("codex/access_token", jwt + "x"), Pair("codex/refresh_token", "rt_1.2")));
  EXPECT_EQ(taken.form.credentials.at(0).shape, "{claims}.{random:86}");
  EXPECT_THAT(taken.form.files.at(0).text, HasSubstr(R"("account_id": "acc-1")"));
}

TEST(LoginForms, GhsHostsAndAccountsAreAllTaken) {
  const std::string text =
      "github.com:\n    user: ann\n    oauth_token: gho_AAAA\n    git_protocol: https\n    users:\n        ann:\n            oauth_token: gho_AAAA\n"
      "        bob:\n            oauth_token: \"ghp_BBBB\"  # his\nghe.corp.example:8443:\n    oauth_token: 'github_pat_11_CC'\n    user: ann\n";
  const auto taken = take("gh", text);
  EXPECT_THAT(plain(taken), ElementsAre(Pair("gh/github.com/token", "gho_AAAA"), Pair("gh/github.com/ann", "gho_AAAA"), Pair("gh/github.com/bob", "ghp_BBBB"),
                                        Pair("gh/ghe.corp.example-8443/token", "github_pat_11_CC")));
  EXPECT_EQ(filled(taken), text);
  EXPECT_EQ(taken.form.credentials.at(0).name, "gh-github.com");
  EXPECT_EQ(taken.form.credentials.at(2).shape, "ghp_{random:36}");
  EXPECT_EQ(taken.form.credentials.at(3).shape, "github_pat_{random:22}_{random:59}");
  EXPECT_THAT(taken.form.files.at(0).text, Not(HasSubstr("AAAA")));
  EXPECT_THAT(taken.form.files.at(0).text, HasSubstr("\"{placeholder:gh-github.com-bob}\"  # his\n"));
}

TEST(LoginForms, AwssSectionsBecomeOneEntryEachInTheFormThatSigningReads) {
  const std::string text =
      "# mine\r\n[default]\r\naws_access_key_id = AKIAREAL00000000REAL\r\nAWS_SECRET_ACCESS_KEY=real+secret/key==\r\n\r\n[work]\r\n"
      "aws_access_key_id=ASIAREAL00000000WORK\r\naws_secret_access_key = work\"key\r\naws_session_token: tok/en==\r\nregion = x\r\n";
  const auto taken = take("aws", text);
  EXPECT_THAT(plain(taken),
              ElementsAre(Pair("aws/default", R"({"AccessKeyId":"AKIAREAL00000000REAL","SecretAccessKey":"real+secret/key=="})"),
                          Pair("aws/work", R"({"AccessKeyId":"ASIAREAL00000000WORK","SecretAccessKey":"work\"key","SessionToken":"tok/en=="})")));
  EXPECT_EQ(taken.form.files.at(0).text,
            "# mine\r\n[default]\r\naws_access_key_id = {made-up:aws-default:AccessKeyId}\r\nAWS_SECRET_ACCESS_KEY={made-up:aws-default:SecretAccessKey}\r\n\r\n"
            "[work]\r\naws_access_key_id={made-up:aws-work:AccessKeyId}\r\naws_secret_access_key = {made-up:aws-work:SecretAccessKey}\r\n"
            "aws_session_token: {made-up:aws-work:SessionToken}\r\nregion = x\r\n");
}

TEST(LoginForms, AwssConfigurationLosesWhatSoundsSecret) {
  const auto& profile = known("aws");
  TakenLogin taken;
  ASSERT_TRUE(take_login(*profile.login, profile.login->files.at(1),
                         "[profile a]\nregion = eu-west-1\ns3 =\n    max_concurrent_requests = 2\naws_secret_access_key = SECRET\n", taken));
  EXPECT_EQ(taken.form.files.at(0).text, "[profile a]\nregion = eu-west-1\ns3 =\n    max_concurrent_requests = 2\naws_secret_access_key = \n");
  EXPECT_THAT(taken.left_out, ElementsAre("profile a.aws_secret_access_key"));
}

TEST(LoginForms, NpmsTokensPasswordsAndBasicLogins) {
  const std::string user = base64_encode("ann:p:w");
  const std::string password = base64_encode("word");
  const std::string text = "registry=https://npm.corp.example/\n//npm.corp.example/:_authToken=npm_AAAA ; mine\n//other.example:8080/a/:_authToken = \"uuid-1\"\n"
                           "//other.example:8080/b/:_authToken=uuid-2\n//basic.example/:_auth=" + user + "\n//basic.example/:username=ann\n//basic.example/:_password=" +
                           password + "\n//env.example/:_authToken=${NPM_TOKEN}\n_authToken=OLD\nalways-auth=true\n";
  const auto taken = take("npm", text);
  EXPECT_THAT(plain(taken),
              ElementsAre(Pair("npm/npm.corp.example/token", "npm_AAAA"), Pair("npm/other.example-8080/token", "uuid-1"),
                          Pair("npm/other.example-8080/token-2", "uuid-2"), Pair("npm/basic.example/user", "p:w"), Pair("npm/basic.example/password", "word")));
  EXPECT_THAT(taken.left_out, ElementsAre("_authToken"));
  const auto& form = taken.form.files.at(0).text;
  EXPECT_THAT(form, HasSubstr("//npm.corp.example/:_authToken={placeholder:npm-npm.corp.example} ; mine\n"));
  EXPECT_THAT(form, HasSubstr(":_auth={placeholder:base64:" + base64_encode("ann:") + ":npm-basic.example-user}\n"));
  EXPECT_THAT(form, HasSubstr(":_password={placeholder:base64::npm-basic.example-password}\n"));
  EXPECT_THAT(form, HasSubstr("//env.example/:_authToken=${NPM_TOKEN}\n_authToken=\nalways-auth=true\n"));
  EXPECT_EQ(filled(taken), std::string(text).replace(text.find("=OLD"), 4, "="));
}

TEST(LoginForms, DockersAuthsKeepTheUserAndLoseHelpers) {
  const std::string index = "https://index." "registry.example/v1/";
  const std::string text = R"({"auths": {")" + index + R"(": {"auth": ")" + base64_encode("bob:dckr_pat_AAAA") +
                           R"("}, "reg.corp.example:5000": {"auth": ")" + base64_encode("ci:pw") + R"(", "email": "a@b"}, "tok.example": {"identitytoken": "IDT", "auth": ")" +
                           base64_encode("<token>:") + R"("}}, "credsStore": "desktop", "credHelpers": {"a": "b"}, "HttpHeaders": {"X-A": "secret"}})";
  const auto taken = take("docker", text);
  EXPECT_THAT(plain(taken), ElementsAre(Pair("docker/index.registry.example/password", "dckr_pat_AAAA"), Pair("docker/reg.corp.example-5000/password", "pw"),
                                        Pair("docker/tok.example/identity", "IDT")));
  EXPECT_THAT(taken.left_out, ElementsAre("credsStore", "credHelpers", "HttpHeaders"));
  EXPECT_THAT(taken.form.files.at(0).text, HasSubstr(R"("credsStore": "", "credHelpers": {}, "HttpHeaders": {}})"));
  const auto parts = login_parts(*known("docker").login, taken.form, "");
  ASSERT_TRUE(parts) << parts.error().message;
  EXPECT_THAT(parts->policy, HasSubstr(R"(hosts: ["index.registry.example","*.registry.example"])"));
  EXPECT_THAT(parts->policy, HasSubstr(R"(hosts: ["reg.corp.example:5000"])"));
}

TEST(LoginForms, GitsUrlsLoseTheirPasswordsWhoeverTheyAreFor) {
  const std::string text = "https://ann:gho_AAAA@github.com\nhttps://bob:p%40ss@git.corp.example:8443\n";
  const auto taken = take("git", text);
  EXPECT_THAT(plain(taken), ElementsAre(Pair("git/github.com/ann", "gho_AAAA"), Pair("git/git.corp.example-8443/bob", "p@ss")));
  EXPECT_EQ(taken.form.files.at(0).text,
            "https://ann:{placeholder:git-github.com-ann}@github.com\nhttps://bob:{placeholder:git-git.corp.example-8443-bob}@git.corp.example:8443\n");
}

TEST(LoginForms, GoogleTakesUsersLoginsAndNoServiceAccounts) {
  const auto taken = take("gcloud", R"({"client_id": "1.apps", "client_secret": "d-abc", "refresh_token": "1//0abc", "type": "authorized_user", "quota_project_id": "p"})");
  EXPECT_THAT(plain(taken), ElementsAre(Pair("gcloud/client_secret", "d-abc"), Pair("gcloud/refresh_token", "1//0abc")));
  const auto parts = login_parts(*known("gcloud").login, taken.form, "");
  ASSERT_TRUE(parts);
  EXPECT_THAT(parts->policy, HasSubstr(R"("gcloud-access":)"));  // comes to be with the first refresh
  TakenLogin none;
  const auto refused = take_login(*known("gcloud").login, known("gcloud").login->files.at(0), R"({"type": "service_account", "private_key": "-----"})", none);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "login_unsuitable");
  EXPECT_TRUE(none.secrets.empty());
}

TEST(LoginForms, WhatIsNoLoginGivesOneErrorWithoutItsText) {
  struct Case {
    const char* profile;
    std::string text;
    const char* error;
  };
  const std::string huge = R"({"claudeAiOauth":{"accessToken":")" + std::string(2U << 20, 'x') + "\"}}";
  for (const Case& bad : {
           Case{"claude", "SECRET", "not a JSON object"},
           Case{"claude", "", "not a JSON object"},
           Case{"claude", "[\"SECRET\"]", "not a JSON object"},
           Case{"claude", R"({"a": "SECRET"} x)", "not a JSON object"},
           Case{"claude", R"({"claudeAiOauth": {"accessToken": "SECRET", "accessToken": "SECRET2"}})", "twice"},
           Case{"claude", R"({"claudeAiOauth": {"accessToken": "SECRET", "access\u0054oken": "SECRET2"}})", "twice"},
           Case{"claude", R"({"claudeAiOauth": {"accessToken": "SEC\nRET"}})", "not in the form"},
           Case{"claude", "{\"claudeAiOauth\": {\"accessToken\": \"SECRET\xff\"}}", "UTF-8"},
           Case{"claude", R"({"claudeAiOauth": {"accessToken": "{placeholder:x}"}})", "marks"},
           Case{"claude", huge, "1 MiB"},
           Case{"gh", "github.com:\n\toauth_token: SECRET\n", "line 2: a tab"},
           Case{"gh", "github.com:\n  oauth_token: SECRET\n  oauth_token: SECRET2\n", "line 3: the name stands twice"},
           Case{"gh", "github.com: {oauth_token: SECRET}\n", "line 1: a value of a kind"},
           Case{"gh", "github.com:\n  oauth_token: |\n    SECRET\n", "line 2: a value of a kind"},
           Case{"gh", "github.com:\n  oauth_token: &a SECRET\n", "line 2: a value of a kind"},
           Case{"gh", "github.com:\n  \"oauth_token\": SECRET\n", "line 2: it is not `key: value`"},
           Case{"gh", "github.com:\n  ? oauth_token\n  : SECRET\n", "line 2: it is not"},
           Case{"gh", "github.com:\n    user: x\n  oauth_token: SECRET\n", "line 3: it is indented as no line"},
           Case{"gh", "github.com:\n  oauth_token: \"SEC\\x41RET\"\n", "line 2: a value of a kind"},
           Case{"gh", "github.com:\n  oauth_token: SEC\n    RET\n", "line 3: it is not"},
           Case{"aws", "aws_secret_access_key = SECRET\n", "line 1: it stands in no section"},
           Case{"aws", "[default]\naws_secret_access_key = SECRET\naws_secret_access_key = S2\n", "line 3: the name stands twice"},
           Case{"aws", "[default]\naws_secret_access_key = S\n[default]\naws_secret_access_key = S2\n", "line 4: the name stands twice"},
           Case{"aws", "[default\naws_secret_access_key = SECRET\n", "line 1: a section's name"},
           Case{"aws", "[default]\n SECRET\n", "line 2: it is not"},
           Case{"aws", "[default]\nSECRET\n", "line 2: it is not"},
           Case{"aws", std::string("[default]\naws_secret_access_key = SE\0CRET\n", 41), "NUL"},
           Case{"aws", "[default]\raws_secret_access_key = SECRET\n", "carriage return"},
           Case{"npm", "//h/:_authToken=\"SECRET\n", "line 1: a quoted value"},
           Case{"npm", "//h/:_authToken=SEC\\;RET\n", "line 1: a value with a backslash"},
           Case{"npm", "//h/:_auth=SECRET!\n", "not in the form"},
           Case{"npm", "//h/:_auth=" + base64_encode("nocolon") + "\n", "not in the form"},
           Case{"docker", R"({"auths": {"h": {"auth": "=AAA"}}})", "not in the form"},
           Case{"git", "https://ann@github.com\n", "line 1: it is not a URL"},
           Case{"git", "SECRET\n", "line 1: it is not a URL"},
           Case{"git", "https://a:SECRET%zz@h\n", "not in the form"},
       }) {
    const auto& login = *known(bad.profile).login;
    TakenLogin taken;
    const auto done = take_login(login, login.files.front(), bad.text, taken);
    ASSERT_FALSE(done) << bad.profile << ": " << bad.text.substr(0, 200);
    EXPECT_THAT(done.error().message, HasSubstr(bad.error)) << bad.text.substr(0, 200);
    EXPECT_THAT(done.error().message, Not(HasSubstr("SECRET"))) << bad.text.substr(0, 200);
    EXPECT_TRUE(taken.secrets.empty() && taken.form.files.empty() && taken.form.credentials.empty());
  }
}

TEST(LoginForms, AnEmptyFileOfLinesHasNothing) {
  for (const char* profile : {"gh", "aws", "npm", "git"})
    for (const char* text : {"", "\n\n", "# nothing\n", "# nothing"}) EXPECT_TRUE(take(profile, text).secrets.empty()) << profile;
}

TEST(LoginForms, AFormGoesIntoTheVaultAndBackOnOneLine) {
  const auto taken = take("gh", "github.com:\n    oauth_token: gho_AAAA\n    user: \"Änn\"\n");
  const std::string json = to_json(taken.form);
  for (const char c : json) EXPECT_TRUE(c >= 0x20 && c < 0x7f);
  const auto again = form_from_json(json);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, taken.form);
  for (const std::string& bad : {std::string(), std::string("{}"), std::string("[]"), std::string(R"({"weir_login": 2})"), std::string(R"({"weir_login": 1, "files": 3})"),
                                std::string(R"({"weir_login": 1, "files": [{"path": "/etc/passwd", "text": ""}], "credentials": []})"),
                                std::string(R"({"weir_login": 1, "files": [{"path": "~/../x/../y", "text": ""}], "credentials": []})")}) {
    const auto refused = form_from_json(bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code, "login_form_invalid");
  }
}

}  // namespace
}  // namespace weir::launch
