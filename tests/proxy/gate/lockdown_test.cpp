// What a proxy that was taken over can still do: each attempt runs in a child that has locked itself down.
#include "proxy/lockdown.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace weir::proxy {
namespace {

constexpr int kRefused = 0;
constexpr int kPossible = 1;

// How the child ended: its exit status, or 100 + the signal that ended it.
template <class Attempt>
int after_lock_down(Attempt attempt) {
  const pid_t pid = fork();
  if (pid == 0) {
    if (!lock_down()) _exit(50);
    _exit(attempt() ? kPossible : kRefused);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

TEST(Lockdown, G5FilesCannotBeOpened) {
  EXPECT_EQ(after_lock_down([] { return open("/etc/passwd", O_RDONLY) >= 0; }), kRefused);
  EXPECT_EQ(after_lock_down([] { return open("/tmp/weir-lockdown-test", O_WRONLY | O_CREAT, 0600) >= 0; }), kRefused);
}

TEST(Lockdown, G5ProgramsCannotBeStarted) {
  EXPECT_EQ(after_lock_down([] {
              char name[] = "/bin/true";
              char* const arguments[] = {name, nullptr};
              return execve(name, arguments, nullptr) == 0;
            }),
            100 + SIGSYS);
  EXPECT_EQ(after_lock_down([] { return fork() >= 0; }), 100 + SIGSYS);
}

TEST(Lockdown, G5OtherProcessesCannotBeTouched) {
  EXPECT_EQ(after_lock_down([] { return ptrace(PTRACE_ATTACH, 1, nullptr, nullptr) == 0; }), 100 + SIGSYS);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_EQ(after_lock_down([] { return kill(getppid(), 0) == 0; }), kRefused);
#endif
}

TEST(Lockdown, G5OnlyInternetSocketsCanBeMade) {
  for (const int family : {AF_UNIX, AF_NETLINK, AF_PACKET, 40 /* AF_VSOCK */})
    EXPECT_EQ(after_lock_down([&] { return socket(family, SOCK_RAW, 0) >= 0 || socket(family, SOCK_STREAM, 0) >= 0; }), kRefused) << family;
  EXPECT_EQ(after_lock_down([] { return socket(AF_INET, SOCK_STREAM, 0) >= 0; }), kPossible);
  EXPECT_EQ(after_lock_down([] { return socket(AF_INET6, SOCK_STREAM, 0) >= 0; }), kPossible);
}

TEST(Lockdown, G5MemoryCannotBecomeExecutable) {
  EXPECT_EQ(after_lock_down([] { return mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED; }),
            kRefused);
  EXPECT_EQ(after_lock_down([] {
              void* memory = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              return mprotect(memory, 4096, PROT_READ | PROT_EXEC) == 0;
            }),
            kRefused);
}

TEST(Lockdown, G5RootIsGivenUp) {
  EXPECT_EQ(after_lock_down([] { return geteuid() == 0 || getegid() == 0; }), kRefused);
}

}  // namespace
}  // namespace weir::proxy
