#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/unique_fd.h"
#include "tests/vault/scratch.h"

namespace weir::vault {
namespace {

using namespace test;

class ConcurrentWriters : public Scratch {
 protected:
  // Runs `work(number)` in that many processes; the sum of their exit statuses.
  template <class Work>
  static int in_processes(int count, Work work) {
    std::vector<pid_t> children;
    for (int i = 0; i < count; ++i) {
      const pid_t child = fork();
      if (child == 0) _exit(work(i));
      children.push_back(child);
    }
    int failures = 0;
    for (const pid_t child : children) {
      int status = 0;
      waitpid(child, &status, 0);
      failures += WIFEXITED(status) ? WEXITSTATUS(status) : 100;
    }
    return failures;
  }
};

TEST_F(ConcurrentWriters, LoseNothingOfEachOther) {
  create();
  EXPECT_EQ(in_processes(4,
                         [&](int writer) {
                           auto store = open();
                           int failures = store ? 0 : 1;
                           for (int i = 0; store && i < 15; ++i)
                             failures +=
                                 store->set("w" + std::to_string(writer) + "-" + std::to_string(i), Secret("v")) ? 0 : 1;
                           return failures;
                         }),
            0);
  const auto store = open();
  ASSERT_TRUE(store) << message_of(store);
  EXPECT_EQ(store->list().size(), 60U);
  EXPECT_EQ(store->generation(), 61U);
}

TEST_F(ConcurrentWriters, OfOneEntryGetDifferentVersions) {
  create();
  EXPECT_EQ(in_processes(4,
                         [&](int) {
                           auto store = open();
                           for (int i = 0; store && i < 5; ++i)
                             if (!store->set("entry", Secret("v"))) return 1;
                           return store ? 0 : 1;
                         }),
            0);
  EXPECT_EQ(open()->list()[0].versions.back().number, 20U);
}

TEST_F(ConcurrentWriters, FirstUsersOfAMachineMakeOneVaultAndOneKey) {
  EXPECT_EQ(in_processes(6,
                         [&](int writer) {
                           auto store = open();
                           if (!store) store = EmbeddedStore::create(paths_, Protection::kKeyFile, no_passphrase);
                           if (!store) store = open();
                           return store && store->set("w" + std::to_string(writer), Secret("v")) ? 0 : 1;
                         }),
            0);
  EXPECT_EQ(open()->list().size(), 6U);
}

TEST_F(ConcurrentWriters, ReadersAlwaysSeeAWholeFile) {
  auto writer = create();
  ASSERT_TRUE(writer.set("entry", Secret("v")));
  const pid_t reader = fork();
  if (reader == 0) {
    for (int i = 0; i < 300; ++i)
      if (const auto store = open(); !store || !store->get("entry")) _exit(1);
    _exit(0);
  }
  int status = 0;
  while (waitpid(reader, &status, WNOHANG) == 0) ASSERT_TRUE(writer.set("entry", Secret("v")));
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST_F(ConcurrentWriters, WriterThatDiesLeavesTheLockFree) {
  create();
  const pid_t child = fork();
  if (child == 0) {
    const int lock = ::open((paths_.store_file + ".lock").c_str(), O_RDWR | O_CLOEXEC);
    flock(lock, LOCK_EX);
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(open()->set("entry", Secret("v")));
}

}  // namespace
}  // namespace weir::vault
