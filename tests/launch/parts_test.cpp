// The pure parts: what a first line names, where a program is installed, which folders are fit, which sockets are bound.
#include <gmock/gmock.h>

#include "launch/process/checks.h"
#include "launch/process/host_sockets.h"
#include "launch/process/program_location.h"

namespace weir::launch {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(Interpreter, IsReadFromTheFirstLine) {
  EXPECT_EQ(interpreter_of("#!/bin/sh -e\necho"), "/bin/sh");
  EXPECT_EQ(interpreter_of("#! /usr/bin/python3\n"), "/usr/bin/python3");
  EXPECT_EQ(interpreter_of("#!/usr/bin/env node\n"), "node");
  EXPECT_EQ(interpreter_of("#!/usr/bin/env -S A=b node --flag\n"), "node");
  EXPECT_EQ(interpreter_of("#!/usr/bin/env"), "");
  EXPECT_EQ(interpreter_of("#!"), "");
  EXPECT_EQ(interpreter_of("\x7f"
                           "ELF"),
            "");
  EXPECT_EQ(interpreter_of(""), "");
}

TEST(Installation, IsTheFolderAboveBinOrTheProgramsOwnFolder) {
  const std::string home = "/home/ann";
  EXPECT_EQ(installation_of("/home/ann/.nvm/versions/node/v20/bin/node", home), "/home/ann/.nvm/versions/node/v20");
  EXPECT_EQ(installation_of("/home/ann/.pyenv/shims/python", home), "/home/ann/.pyenv");
  EXPECT_EQ(installation_of("/home/ann/.bun/bin/bun", home), "/home/ann/.bun");
  EXPECT_EQ(installation_of("/home/ann/.local/bin/claude", home), "/home/ann/.local/bin");
  EXPECT_EQ(installation_of("/home/ann/bin/tool", home), "/home/ann/bin");
  EXPECT_EQ(installation_of("/home/ann/.local/share/claude/versions/2.1", home), "/home/ann/.local/share/claude/versions");
  EXPECT_EQ(installation_of("/srv/tools/bin/tool", home), "/srv/tools");
}

TEST(Installation, NeverShowsHomeOrPlacesOfCredentials) {
  const std::string home = "/home/ann";
  EXPECT_EQ(installation_of("/home/ann/tool", home), "/home/ann/tool");
  EXPECT_EQ(installation_of("/home/tool", home), "/home/tool");
  EXPECT_EQ(installation_of("/home/bin/tool", home), "/home/bin");
  EXPECT_EQ(installation_of("/home/ann/.ssh/tool", home), "/home/ann/.ssh/tool");
  EXPECT_EQ(installation_of("/home/ann/.config/agent/bin/tool", home), "/home/ann/.config/agent/bin/tool");
  EXPECT_EQ(installation_of("/home/ann/.cargo/bin/cargo", home), "/home/ann/.cargo/bin");
  EXPECT_EQ(installation_of("/home/ann/.local/share/tool", home), "/home/ann/.local/share/tool");
}

TEST(ProjectFolder, IsRefusedWhereWritingWouldReachTooFar) {
  for (const char* folder : {"/", "/home", "/home/ann", "/tmp", "/usr", "/usr/share/x", "/etc", "/var", "/proc/1",
                             "/run/secrets", "/home/ann/.ssh", "/home/ann/.ssh/keys"})
    EXPECT_NE(unfit_project_folder(folder, "/home/ann"), "") << folder;
  for (const char* folder : {"/home/ann/project", "/home/annother", "/tmp/x", "/srv/site", "/usr/src/linux", "/work",
                             "/var/www", "/run/user/1000/x", "/opt/app"})
    EXPECT_EQ(unfit_project_folder(folder, "/home/ann"), "") << folder;
}

TEST(ProjectMark, BecomesTheFolderInOneWord) {
  EXPECT_EQ(expand_project("/h/.claude/projects/{project}", "/home/ann/my.proj_1"),
            "/h/.claude/projects/-home-ann-my-proj-1");
  EXPECT_EQ(expand_project("{project}{project}", "/a"), "-a-a");
  EXPECT_EQ(expand_project("/plain", "/a"), "/plain");
}

TEST(BoundPaths, AreReadFromTheKernelsTable) {
  EXPECT_THAT(bound_paths("Num       RefCount Protocol Flags    Type St Inode Path\n"
                          "0000000000000000: 00000002 00000000 00010000 0001 01 17395 /run/docker.sock\n"
                          "0000000000000000: 00000003 00000000 00000000 0001 03    33\n"
                          "0000000000000000: 00000002 00000000 00010000 0001 01 1 @abstract\n"
                          "0000000000000000: 00000002 00000000 00010000 0001 01     7 relative/with space\n"
                          "0000000000000000: 00000002 00000000 00010000 0002 01 8  leading\n"),
              ElementsAre("/run/docker.sock", "relative/with space", " leading"));
  EXPECT_THAT(bound_paths(""), IsEmpty());
  EXPECT_THAT(bound_paths("garbage"), IsEmpty());
}

}  // namespace
}  // namespace weir::launch
