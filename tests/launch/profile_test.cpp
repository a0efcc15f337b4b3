#include "launch/profile.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "runner.h"

namespace weir::launch {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Profile, ReadsAllThatAProfileMaySay) {
  setenv("HOME", "/home/ann", 1);
  const auto profile = parse_profile(R"(
description: An agent
commands: [agent, agent-cli]
policy: |
  version: 1
  use: [thing]
mounts:
  - {path: ~/.agent, mode: read-write, create: true}
  - {path: /data, source: ~/data, optional: true}
  - {path: ~/.agent/key, mode: hidden}
  - {path: ~/.agent.json, content: "{}"}
environment: {AGENT_KEY: placeholder}
pass_environment: [AGENT_MODEL]
credentials:
  - {credential: thing, from: [env:AGENT_KEY, store:thing], missing: set it}
)",
                                     "folder/agent.yaml");
  ASSERT_TRUE(profile) << profile.error().message;
  EXPECT_EQ(profile->name, "agent");
  EXPECT_EQ(profile->commands, (std::vector<std::string>{"agent", "agent-cli"}));
  EXPECT_EQ(profile->policy, "version: 1\nuse: [thing]\n");
  ASSERT_EQ(profile->mounts.size(), 4U);
  EXPECT_EQ(profile->mounts[0].source, "/home/ann/.agent");
  EXPECT_EQ(profile->mounts[0].target, "/home/ann/.agent");
  EXPECT_EQ(profile->mounts[0].mode, Mount::Mode::read_write);
  EXPECT_EQ(profile->mounts[1].source, "/home/ann/data");
  EXPECT_TRUE(profile->mounts[1].optional);
  EXPECT_TRUE(profile->mounts[2].hidden);
  EXPECT_EQ(profile->mounts[3].content, "{}");
  EXPECT_EQ(profile->environment.at("AGENT_KEY"), "placeholder");
  ASSERT_EQ(profile->credentials.size(), 1U);
  EXPECT_EQ(profile->credentials[0].from, (std::vector<std::string>{"env:AGENT_KEY", "store:thing"}));
}

TEST(Profile, ErrorsSayWhereAndWhat) {
  struct Case {
    const char* text;
    const char* error;
  };
  for (const Case& bad : {
           Case{"commands: [a]\ncomands: [b]\n",
                "p.yaml:2:1: unknown key `comands` in the profile; did you mean `commands`?"},
           Case{"commands: a\n", "p.yaml:1:11: `commands` must be a list"},
           Case{"commands: [a/b]\n", "p.yaml:1:11: a command is the bare name"},
           Case{"description: x\n", "the profile needs `commands`"},
           Case{"- a\n", "a profile is a mapping"},
           Case{"", "a profile is a mapping"},
           Case{"commands: [a]\ncommands: [b]\n", "p.yaml:2:1: `commands` is given twice"},
           Case{"commands: [a]\nmounts:\n  - {path: relative}\n", "p.yaml:3:12: `path` must start with"},
           Case{"commands: [a]\nmounts:\n  - {mode: hidden}\n", "p.yaml:3:5: a mount needs a `path`"},
           Case{"commands: [a]\nmounts:\n  - {path: /x, mode: rw}\n", "p.yaml:3:22: `mode` must be"},
           Case{"commands: [a]\nmounts:\n  - {path: /x, optional: yes}\n",
                "p.yaml:3:26: `optional` must be `true` or `false`"},
           Case{"commands: [a]\nmounts:\n  - {path: /x, mode: hidden, create: true}\n", "takes nothing from the host"},
           Case{"commands: [a]\nenvironment: {a b: c}\n", "p.yaml:2:15: `a b` is not the name"},
           Case{"commands: [a]\ncredentials:\n  - {credential: x, from: [sk-live-value]}\n", "is no place of a secret"},
           Case{"commands: [a]\ncredentials:\n  - {credential: x}\n", "a credential needs `from`"},
           Case{"commands: [a\n", "not valid YAML"},
           Case{"commands: [a]\npolicy: {version: 1}\n", "p.yaml:2:9: `policy`"},
       }) {
    const auto profile = parse_profile(bad.text, "p.yaml");
    ASSERT_FALSE(profile) << bad.text;
    EXPECT_THAT(profile.error().message, HasSubstr(bad.error)) << bad.text;
    EXPECT_EQ(profile.error().code, "profile_invalid");
  }
}

TEST(Profile, TheBuiltInOnesAreAllGood) {
  const Host host(false);
  setenv("HOME", host.home().c_str(), 1);
  unsetenv("XDG_CONFIG_HOME");
  const auto all = profiles();
  ASSERT_TRUE(all) << all.error().message;
  for (const char* command : {"claude", "/usr/local/bin/claude", "codex", "gemini"}) {
    const auto profile = profile_for_command(*all, command);
    ASSERT_TRUE(profile) << command;
    EXPECT_FALSE(profile->policy.empty());
    EXPECT_FALSE(profile->description.empty());
    ASSERT_EQ(profile->credentials.size(), 1U);
    EXPECT_THAT(profile->credentials[0].missing, HasSubstr("weir vault set"));
  }
  EXPECT_FALSE(profile_for_command(*all, "bash"));
}

TEST(Profile, TheUsersOwnWinByNameAndByCommand) {
  const Host host(false);
  setenv("HOME", host.home().c_str(), 1);
  unsetenv("XDG_CONFIG_HOME");
  host.make_folder(host.home() + "/.config/weir/profiles");
  host.write(host.home() + "/.config/weir/profiles/claude.yaml", "commands: [claude]\ndescription: mine\n");
  host.write(host.home() + "/.config/weir/profiles/other.yaml", "commands: [gemini]\ndescription: mine too\n");
  const auto all = profiles();
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_EQ(profile_for_command(*all, "claude")->description, "mine");
  EXPECT_EQ(profile_for_command(*all, "gemini")->description, "mine too");
  host.write(host.home() + "/.config/weir/profiles/broken.yaml", "commands: [\n");
  EXPECT_THAT(profiles().error().message, HasSubstr("/.config/weir/profiles/broken.yaml:"));
}

TEST(Profile, BuiltInOnesMountNoPlaceOfCredentials) {
  setenv("HOME", "/home/ann", 1);
  const Host host(false);
  setenv("XDG_CONFIG_HOME", host.home().c_str(), 1);
  const auto all = profiles();
  unsetenv("XDG_CONFIG_HOME");
  ASSERT_TRUE(all);
  for (const Profile& profile : *all)
    for (const Mount& mount : profile.mounts) {
      if (mount.hidden || mount.content) continue;
      for (const char* secret :
           {"/home/ann/.claude.json", "/home/ann/.claude/.credentials.json", "/home/ann/.claude/settings.json",
            "/home/ann/.codex/auth.json", "/home/ann/.codex/config.toml", "/home/ann/.gemini/oauth_creds.json",
            "/home/ann/.gemini/settings.json", "/home/ann/.ssh/id"})
        EXPECT_FALSE(std::string(secret).starts_with(mount.source)) << profile.name << " shows " << secret;
    }
}

}  // namespace
}  // namespace weir::launch
