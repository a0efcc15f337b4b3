// Tries one forbidden thing from inside a sandbox and prints what the kernel said: "ok" or the error's name.
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

long attempt(const std::string& what, char** more) {
  if (what == "tiocsti") return ioctl(0, TIOCSTI, "x");
  // The upper half of the register, which the kernel never looks at.
  if (what == "tiocsti-high") return syscall(SYS_ioctl, 0UL, 0xdead000000000000UL | TIOCSTI, "x");
  if (what == "tioclinux") return ioctl(0, TIOCLINUX, "\x02");
  if (what == "socket") return socket(std::atoi(more[0]), SOCK_STREAM, 0);
  if (what == "socket-high")
    return syscall(SYS_socket, 0x100000000UL | static_cast<unsigned long>(std::atoi(more[0])), SOCK_STREAM, 0);
  if (what == "tipc-pair") {
    int ends[2];
    return socketpair(AF_TIPC, SOCK_STREAM, 0, ends);
  }
  if (what == "keyctl") return syscall(SYS_keyctl, 0 /* GET_KEYRING_ID */, -4 /* the user's */, 1);
  if (what == "add_key") return syscall(SYS_add_key, "user", "weir", "x", 1, -3);
  if (what == "io_uring") {
    io_uring_params parameters{};
    return syscall(SYS_io_uring_setup, 4, &parameters);
  }
  if (what == "bpf") return syscall(SYS_bpf, 0, nullptr, 0);
  if (what == "perf") return syscall(SYS_perf_event_open, nullptr, 0, -1, -1, 0);
  if (what == "userfaultfd") return syscall(SYS_userfaultfd, 1);
  if (what == "handle") return syscall(SYS_open_by_handle_at, -1, nullptr, 0);
#ifdef __x86_64__
  if (what == "x32") return syscall(0x40000000 + 39 /* getpid */);
  if (what == "i386") {  // getpid by the 32-bit entry
    long result = 20;
    __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
    if (result < 0) {
      errno = static_cast<int>(-result);
      return -1;
    }
    return 0;
  }
#endif
  if (what == "setuid-file") return open(more[0], O_WRONLY | O_CREAT, 04755);
  if (what == "setuid-chmod") {
    close(open(more[0], O_WRONLY | O_CREAT, 0755));
    return chmod(more[0], 04755);
  }
  if (what == "setuid-fchmodat2") {
    close(open(more[0], O_WRONLY | O_CREAT, 0755));
    return syscall(452, AT_FDCWD, more[0], 04755, 0);
  }
  if (what == "connect") {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, more[0], sizeof address.sun_path - 1);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
  }
  if (what == "connect-abstract") {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path + 1, more[0], sizeof address.sun_path - 2);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + std::strlen(more[0]));
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return connect(fd, reinterpret_cast<sockaddr*>(&address), size);
  }
  if (what == "signal") return kill(std::atoi(more[0]), 0);
  if (what == "ptrace") return ptrace(PTRACE_SEIZE, std::atoi(more[0]), nullptr, nullptr);
  if (what == "open-write") return open(more[0], O_WRONLY);
  if (what == "open") return open(more[0], O_RDONLY);
  if (what == "cgroup-namespace") return unshare(CLONE_NEWUSER | CLONE_NEWCGROUP);
  if (what == "dispositions") {
    for (int number = 1; number < 32; ++number) {
      struct sigaction action{};
      sigaction(number, nullptr, &action);
      if (action.sa_handler == SIG_IGN) std::printf("%d ", number);
    }
    sigset_t blocked;
    sigprocmask(SIG_BLOCK, nullptr, &blocked);
    for (int number = 1; number < 32; ++number)
      if (sigismember(&blocked, number) == 1) std::printf("blocked:%d ", number);
    return 0;
  }
  if (what == "descriptors") {
    for (int fd = 0; fd < 4096; ++fd)
      if (fcntl(fd, F_GETFD) >= 0) std::printf("%d ", fd);
    return 0;
  }
  if (what == "survive") {  // says which signals come, each one, and ends with 9 at SIGQUIT; a shell's traps may miss some
    sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGINT, SIGQUIT, SIGWINCH}) sigaddset(&signals, number);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    std::printf("ready\n");
    for (;;) {
      std::fflush(stdout);
      int number = 0;
      sigwait(&signals, &number);
      winsize size{};
      ioctl(0, TIOCGWINSZ, &size);
      std::printf("had-%s %d %d\n", sigabbrev_np(number), size.ws_row, size.ws_col);
      if (number == SIGQUIT) {
        std::fflush(stdout);
        _exit(9);
      }
    }
  }
  std::fprintf(stderr, "launch_probe: what is %s?\n", what.c_str());
  std::exit(99);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 99;
  const long result = attempt(argv[1], argv + 2);
  std::printf("%s\n", result < 0 ? strerrorname_np(errno) : "ok");
  return 0;
}
