// weir-init: process 1 of the sandbox. It starts the command, tells the keeper how that went, reaps orphans, and ends
// with the command, whereupon the kernel ends whatever else is left. Static and small: it must run on any root.
//
//   weir-init STATUS_FD IGNORED_SIGNALS PATH ARGV0 [ARGUMENT…]
//
// One message (SOCK_SEQPACKET) each on STATUS_FD, the letter then a 32-bit number in host order:
//   'S' 0       from the command's process before exec: the receiver learns its pid from SCM_CREDENTIALS
//   'E' errno   exec failed
//   'X' status  as wait(2) gives it; the last message
// IGNORED_SIGNALS (hexadecimal, bit n-1 for signal n) are those that were ignored when weir was started (nohup).
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

static void report(int socket, char what, int32_t value) {
  char message[1 + sizeof value];
  message[0] = what;
  memcpy(message + 1, &value, sizeof value);
  while (send(socket, message, sizeof message, MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

// Whether a file that the kernel does not know is text for the shell: a program for another machine is not.
static int is_text(const char* path) {
  char head[256];
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  const ssize_t got = file < 0 ? -1 : read(file, head, sizeof head);
  if (file >= 0) close(file);
  return got >= 0 && memchr(head, '\0', (size_t)got) == NULL && !(got > 3 && memcmp(head, "\177ELF", 4) == 0);
}

static void run_command(int status, uint64_t ignored, char** arguments) {
  const char* path = arguments[0];
  char** argv = arguments + 1;
  for (int number = 1; number < NSIG; ++number) signal(number, (ignored >> (number - 1)) & 1 ? SIG_IGN : SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  // SECURITY: G1, only the standard descriptors reach the command. Marked rather than closed: `status` is still needed.
  syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */);
  report(status, 'S', 0);
  execve(path, argv, environ);
  const int reason = errno;
  if (reason == ENOEXEC && is_text(path)) {  // a script without an interpreter line, as execvp(3) does it
    int count = 0;
    while (argv[count] != NULL) ++count;
    char** shell = calloc((size_t)count + 3, sizeof *shell);
    if (shell != NULL) {
      shell[0] = (char*)"sh";
      shell[1] = (char*)path;
      for (int i = 1; i < count; ++i) shell[i + 1] = argv[i];
      execve("/bin/sh", shell, environ);
    }
  }
  report(status, 'E', reason);
  _exit(reason == ENOENT || reason == ENOTDIR ? 127 : 126);
}

int main(int argc, char** argv) {
  // SECURITY: what runs here must not be read or steered by the command, which has the same user id.
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  if (argc < 5) return 125;
  const int status = atoi(argv[1]);
  const uint64_t ignored = strtoull(argv[2], NULL, 16);
  fcntl(status, F_SETFD, FD_CLOEXEC);

  sigset_t child_changes;
  sigemptyset(&child_changes);
  sigaddset(&child_changes, SIGCHLD);
  signal(SIGCHLD, SIG_DFL);  // an inherited SIG_IGN would make the kernel reap the command unseen
  sigprocmask(SIG_BLOCK, &child_changes, NULL);
  const int changes = signalfd(-1, &child_changes, SFD_CLOEXEC | SFD_NONBLOCK);
  if (changes < 0) return 125;

  const pid_t command = fork();
  if (command < 0) {
    report(status, 'E', errno);
    return 126;
  }
  if (command == 0) run_command(status, ignored, argv + 3);

  for (;;) {
    struct pollfd wait_for[2] = {{.fd = changes, .events = POLLIN}, {.fd = status, .events = 0}};
    if (poll(wait_for, 2, -1) < 0 && errno != EINTR) return 125;
    // The keeper is gone, and with it everything that made this place safe to run in.
    if ((wait_for[1].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) return 125;
    struct signalfd_siginfo seen;
    while (read(changes, &seen, sizeof seen) > 0) {
    }
    for (;;) {
      int how = 0;
      const pid_t ended = waitpid(-1, &how, WNOHANG);
      if (ended <= 0) break;
      if (ended != command) continue;
      report(status, 'X', how);
      return WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
    }
  }
}
