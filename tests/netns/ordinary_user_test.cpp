// All of this program's tests once more as an ordinary user, when root runs them.
#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/unique_fd.h"

namespace weir::netns {
namespace {

TEST(OrdinaryUser, FindsTheSame) {
  if (geteuid() != 0) GTEST_SKIP() << "already an ordinary user";
  const UniqueFd self(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));  // by descriptor: the folder may be closed to others
  ASSERT_TRUE(self);
  const pid_t child = fork();
  if (child == 0) {
    if (setgroups(0, nullptr) != 0 || setgid(65534) != 0 || setuid(65534) != 0) _exit(126);
    setenv("GTEST_FILTER", "-OrdinaryUser.*", 1);
    unsetenv("XML_OUTPUT_FILE");
    unsetenv("GTEST_OUTPUT");
    char name[] = "netns_test";
    char* arguments[] = {name, nullptr};
    fexecve(self.get(), arguments, environ);
    _exit(127);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "see its output above";
}

}  // namespace
}  // namespace weir::netns
