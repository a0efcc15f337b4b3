#include "keeper/approvals_freeze.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/file.h"

namespace weir::keeper {
namespace {

char state_of(pid_t pid) {
  const auto text = read_file("/proc/" + std::to_string(pid) + "/stat");
  return text ? (*text)[text->rfind(')') + 2] : '-';
}

// A child that has a child in a session of its own; both spin. The grandchild's pid comes through the pipe.
struct Family {
  Family() {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    child = fork();
    if (child == 0) {
      const pid_t made = fork();
      if (made == 0) {
        setsid();
        const pid_t self = getpid();
        (void)!write(ends[1], &self, sizeof self);
      }
      for (;;) usleep(1000);
    }
    EXPECT_EQ(read(ends[0], &grandchild, sizeof grandchild), static_cast<ssize_t>(sizeof grandchild));
    close(ends[0]);
    close(ends[1]);
  }
  ~Family() {
    kill(grandchild, SIGKILL);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }
  pid_t child = 0;
  pid_t grandchild = 0;
};

TEST(FrozenProcesses, StandStillWhateverTheirSessionAndGoOnAfterwards) {
  Family family;
  {
    const auto frozen = FrozenProcesses::freeze(getpid());
    ASSERT_TRUE(frozen);
    EXPECT_EQ(state_of(family.child), 'T');
    EXPECT_EQ(state_of(family.grandchild), 'T');
  }
  for (int i = 0; i < 1000 && state_of(family.grandchild) == 'T'; ++i) usleep(1000);
  EXPECT_NE(state_of(family.child), 'T');
  EXPECT_NE(state_of(family.grandchild), 'T');
}

TEST(FrozenProcesses, DoNotIncludeTheRootNorWhatIsNotBelowIt) {
  Family family;
  const auto frozen = FrozenProcesses::freeze(family.child);
  ASSERT_TRUE(frozen);
  EXPECT_NE(state_of(family.child), 'T');
  EXPECT_EQ(state_of(family.grandchild), 'T');
}

TEST(FrozenProcesses, WhatWasStoppedBeforeStaysStopped) {
  Family family;
  kill(family.grandchild, SIGSTOP);
  for (int i = 0; i < 1000 && state_of(family.grandchild) != 'T'; ++i) usleep(1000);
  { ASSERT_TRUE(FrozenProcesses::freeze(getpid())); }
  EXPECT_EQ(state_of(family.grandchild), 'T');
}

TEST(FrozenProcesses, ThereAreNoneBelowWhatDoesNotExist) {
  EXPECT_FALSE(FrozenProcesses::freeze(0));
  EXPECT_FALSE(FrozenProcesses::freeze(0x3fffff));
}

TEST(Processes, AGroupIsKnownByItsMembers) {
  Family family;
  EXPECT_TRUE(group_is_below(family.grandchild, getpid()));
  EXPECT_TRUE(group_is_below(getpgrp(), getpid()));
  EXPECT_FALSE(group_is_below(family.grandchild + 1'000'000, getpid()));
  EXPECT_EQ(parent_of(family.grandchild), family.child);
}

}  // namespace
}  // namespace weir::keeper
