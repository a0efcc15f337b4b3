// A profile's `login`.
#include <gmock/gmock.h>

#include "logins.h"

namespace weir::launch {
namespace {

using ::testing::HasSubstr;

TEST(LoginProfile, SaysAllThatALoginMaySay) {
  setenv("HOME", "/home/ann", 1);
  const auto profile = parse_profile(R"(
login:
  files:
    - file: ~/.tool/auth.json
      format: json
      keep: [tokens]
      only: {kind: user}
      otherwise: not so
      secrets:
        tokens.access: tool-access
        tokens.*.basic: {credential: "tool-{1}", coding: basic}
  credentials:
    tool-access: {entry: tool/access, hosts: [a.example], shapes: ["t-{random:20}"], in: [body]}
    "tool-{1}": {entry: "tool/{1}", hosts: ["{1}"], shapes: ["{random:20}"]}
  oauth:
    - {token_url: "https://a.example/token", keep: {access_token: tool-access}}
  preset: tool-login
  policy: "version: 1"
  without: [KEY]
  environment: {A: "~/b"}
  mounts: [{path: ~/.tool/more, content: x}]
  account_variable: TOOL_PROFILE
  missing: log in
)",
                                     "tool.yaml");
  ASSERT_TRUE(profile) << profile.error().message;
  ASSERT_TRUE(profile->login);
  const auto& login = *profile->login;
  EXPECT_EQ(login.files.at(0).path, "~/.tool/auth.json");
  EXPECT_EQ(login.files.at(0).secrets.at(1).path, (std::vector<std::string>{"tokens", "*", "basic"}));
  EXPECT_EQ(login.files.at(0).secrets.at(1).coding, LoginSecret::Coding::basic);
  EXPECT_EQ(login.credentials.at(0).in, std::vector<std::string>{"body"});
  EXPECT_EQ(login.oauth.at(0).keep.at(0).second, "tool-access");
  EXPECT_EQ(login.account_variable, "TOOL_PROFILE");
  EXPECT_EQ(login.mounts.at(0).target, "/home/ann/.tool/more");
}

TEST(LoginProfile, ErrorsSayWhereAndWhat) {
  const std::string good = "  credentials: {c: {entry: e, hosts: [h], shapes: [s]}}\n";
  struct Case {
    std::string text;
    const char* error;
  };
  for (const Case& bad : {
           Case{"login: x\n", "p.yaml:1:8: `login` must be a mapping"},
           Case{"login:\n  filez: []\n", "p.yaml:2:3: unknown key `filez` in `login`; did you mean `files`?"},
           Case{"login:\n" + good, "p.yaml:2:3: `login` needs `files`"},
           Case{"login:\n  files: [{file: ~/a}]\n", "`login` needs `credentials`"},
           Case{"login:\n  files: [{file: /a}]\n" + good, "p.yaml:2:18: `file` must start with `~/`"},
           Case{"login:\n  files: [{format: json}]\n" + good, "p.yaml:2:11: a login's file needs `file`"},
           Case{"login:\n  files: [{file: ~/a, format: toml}]\n" + good, "p.yaml:2:31: `format` must be json, yaml, ini, npmrc or urls"},
           Case{"login:\n  files: [{file: ~/a, secrets: {a..b: c}}]\n" + good, "p.yaml:2:33: where a secret is"},
           Case{"login:\n  files: [{file: ~/a, secrets: {a: d}}]\n" + good, "names the credential `d`, which is not"},
           Case{"login:\n  files: [{file: ~/a, secrets: {a: {coding: basic}}}]\n" + good, "p.yaml:2:36: a secret needs its `credential`"},
           Case{"login:\n  files: [{file: ~/a, secrets: {a: {credential: c, coding: rot13}}}]\n" + good, "`coding` must be base64 or basic"},
           Case{"login:\n  files: [{file: ~/a, secrets: {a: {credential: c, field: F}}}]\n" + good, "`field` and `instead` go together"},
           Case{"login:\n  files: [{file: ~/a, secrets: {a: {credential: c, field: F, instead: x}}}]\n" + good, "`field` is for credentials with"},
           Case{"login:\n  files: [{file: ~/a}]\n  credentials: {c: {hosts: [h], shapes: [s]}}\n", "p.yaml:3:20: a login's credential needs the `entry`"},
           Case{"login:\n  files: [{file: ~/a}]\n  credentials: {c: {entry: e, hosts: [h]}}\n", "either `shapes`"},
           Case{"login:\n  files: [{file: ~/a}]\n  credentials: {c: {entry: e, hosts: [h], inject: header}}\n", "can only be aws_sigv4"},
           Case{"login:\n  files: [{file: ~/a}]\n" + good + "  oauth: [{token_url: x}]\n", "p.yaml:4:11: an entry of `oauth` needs"},
           Case{"login:\n  files: [{file: ~/a}]\n" + good + "  oauth: [{token_url: x, keep: {a: z}}]\n", "names the credential `z`"},
       }) {
    const auto profile = parse_profile(bad.text, "p.yaml");
    ASSERT_FALSE(profile) << bad.text;
    EXPECT_THAT(profile.error().message, HasSubstr(bad.error)) << bad.text;
    EXPECT_EQ(profile.error().code, "profile_invalid");
  }
}

TEST(LoginProfile, ToolsHaveALoginAndNoCommand) {
  for (const char* name : {"gh", "gcloud", "aws", "npm", "docker", "git"}) {
    EXPECT_TRUE(known(name).login) << name;
    EXPECT_TRUE(known(name).commands.empty()) << name;
    EXPECT_FALSE(known(name).login->missing.empty()) << name;
  }
  for (const char* name : {"claude", "codex", "gemini"}) {
    EXPECT_TRUE(known(name).login) << name;
    EXPECT_FALSE(known(name).login->policy.empty()) << name;
    for (const auto& variable : known(name).login->without) EXPECT_TRUE(known(name).environment.contains(variable)) << name;
  }
}

}  // namespace
}  // namespace weir::launch
