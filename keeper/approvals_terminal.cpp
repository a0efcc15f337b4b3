#include "keeper/approvals_terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace weir::keeper {
namespace {

volatile std::sig_atomic_t interrupted = 0;

// In the child, after fork in a process with threads: async-signal-safe calls only, and nothing is returned from.
[[noreturn]] void ask_in_child(int pipe, const termios& settings, const char* text, std::size_t size, const char* letters, pid_t keeper) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != keeper) _exit(1);
  for (const int number : {SIGTSTP, SIGQUIT, SIGTTOU, SIGTTIN}) signal(number, SIG_IGN);
  for (const int number : {SIGHUP, SIGTERM}) signal(number, SIG_DFL);
  struct sigaction on_interrupt{};
  on_interrupt.sa_handler = [](int) { interrupted = 1; };
  sigaction(SIGINT, &on_interrupt, nullptr);
  // Ctrl-C is let in while waiting only: none is lost between two looks.
  sigset_t waiting;
  sigset_t working;
  sigemptyset(&waiting);
  sigemptyset(&working);
  sigaddset(&working, SIGINT);
  sigprocmask(SIG_SETMASK, &working, nullptr);
  const int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (terminal < 0 || tcsetpgrp(terminal, getpid()) != 0) _exit(1);
  termios cooked = settings;
  cooked.c_iflag = (cooked.c_iflag | ICRNL | BRKINT) & ~static_cast<tcflag_t>(INLCR | IGNCR);
  cooked.c_oflag |= OPOST | ONLCR;
  cooked.c_lflag |= ICANON | ECHO | ECHOE | ECHOK | ISIG;
  cooked.c_cc[VSUSP] = cooked.c_cc[VQUIT] = _POSIX_VDISABLE;
  if (cooked.c_cc[VINTR] == _POSIX_VDISABLE) cooked.c_cc[VINTR] = 3;
  if (cooked.c_cc[VEOF] == _POSIX_VDISABLE || cooked.c_cc[VEOF] == 1) cooked.c_cc[VEOF] = 4;  // VMIN's place on some systems
  // SECURITY: what was typed before was not typed for this question.
  tcsetattr(terminal, TCSAFLUSH, &cooked);
  (void)!write(terminal, text, size);
  char line[256];
  for (;;) {
    pollfd ready{terminal, POLLIN, 0};
    const int events = ppoll(&ready, 1, nullptr, &waiting);
    if (interrupted != 0) {
      (void)!write(terminal, "\n", 1);
      (void)!write(pipe, "!", 1);
      _exit(0);
    }
    if (events < 0) continue;
    if ((ready.revents & (POLLHUP | POLLERR)) != 0) {  // it may be seen here before SIGHUP comes
      (void)!write(pipe, "#", 1);
      _exit(0);
    }
    const ssize_t got = read(terminal, line, sizeof line);
    if (got <= 0) _exit(0);
    if (got == 2 && line[1] == '\n' && line[0] != '\0' && std::strchr(letters, line[0] | 0x20) != nullptr) {
      const char answer = static_cast<char>(line[0] | 0x20);
      (void)!write(pipe, &answer, 1);
      _exit(0);
    }
    static constexpr char kAgain[] = "weir: one of the letters in brackets, then Enter: ";
    (void)!write(terminal, kAgain, sizeof kAgain - 1);
  }
}

}  // namespace

std::unique_ptr<TerminalQuestion> TerminalQuestion::ask(uv_loop_t* loop, pid_t root, const std::string& text, const std::string& letters,
                                                        std::function<void(Outcome, char)> on_answer) {
  std::unique_ptr<TerminalQuestion> question(new TerminalQuestion);
  question->terminal_.reset(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!question->terminal_) return nullptr;
  const int terminal = question->terminal_.get();
  const pid_t foreground = tcgetpgrp(terminal);
  if (foreground <= 0 || (foreground != getpgrp() && !group_is_below(foreground, root))) return nullptr;
  question->frozen_ = FrozenProcesses::freeze(root);
  if (!question->frozen_) return nullptr;
  // Looked at again, since a shell inside may have moved on until it stood still.
  int ends[2];
  if (tcgetattr(terminal, &question->settings_) != 0 || pipe2(ends, O_CLOEXEC) != 0) return nullptr;
  question->pipe_.reset(ends[0]);
  const UniqueFd theirs(ends[1]);
  question->foreground_ = tcgetpgrp(terminal);
  // From here on this process is in the background: it must not be stopped for that (its group may be, by another member's read).
  question->old_ttin_ = std::signal(SIGTTIN, SIG_IGN);
  question->old_ttou_ = std::signal(SIGTTOU, SIG_IGN);
  const pid_t keeper = getpid();
  const pid_t child = fork();
  if (child == 0) ask_in_child(theirs.get(), question->settings_, text.data(), text.size(), letters.c_str(), keeper);
  if (child < 0) return nullptr;
  setpgid(child, child);
  question->child_ = child;
  question->on_answer_ = std::move(on_answer);
  question->poll_ = new uv_poll_t{};  // freed when closed
  uv_poll_init(loop, question->poll_, question->pipe_.get());
  question->poll_->data = question.get();
  uv_poll_start(question->poll_, UV_READABLE | UV_DISCONNECT, [](uv_poll_t* poll, int, int) { static_cast<TerminalQuestion*>(poll->data)->on_readable(); });
  return question;
}

void TerminalQuestion::on_readable() {
  char answer = 0;
  const ssize_t got = read(pipe_.get(), &answer, 1);
  uv_poll_stop(poll_);
  Outcome outcome = got != 1 ? Outcome::ended : answer == '!' ? Outcome::interrupted : answer == '#' ? Outcome::hung_up : Outcome::answered;
  if (got != 1) {
    int status = 0;
    while (waitpid(child_, &status, 0) < 0 && errno == EINTR) {
    }
    reaped_ = true;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP) outcome = Outcome::hung_up;
  }
  const auto call = std::exchange(on_answer_, {});
  call(outcome, answer);  // may destroy this object
}

TerminalQuestion::~TerminalQuestion() {
  if (poll_ != nullptr) {
    uv_poll_stop(poll_);
    uv_close(reinterpret_cast<uv_handle_t*>(poll_), [](uv_handle_t* handle) { delete reinterpret_cast<uv_poll_t*>(handle); });
  }
  if (child_ > 0) {
    if (!reaped_) ::kill(child_, SIGKILL);
    while (!reaped_ && waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
    }
    // Only what the child took is given back: a shell that has put this job into the background since has its own settings.
    if (tcgetpgrp(terminal_.get()) == child_) {
      tcsetattr(terminal_.get(), TCSANOW, &settings_);
      if (tcsetpgrp(terminal_.get(), foreground_) != 0) (void)tcsetpgrp(terminal_.get(), getpgrp());
    }
  }
  frozen_.reset();
  if (child_ > 0) {
    // Who read the terminal meanwhile was stopped with its whole group; and a program that draws on it draws anew.
    ::kill(-foreground_, SIGCONT);
    ::kill(-foreground_, SIGWINCH);
  }
  if (old_ttin_ != nullptr || old_ttou_ != nullptr || child_ > 0) {
    (void)std::signal(SIGTTIN, old_ttin_);
    (void)std::signal(SIGTTOU, old_ttou_);
  }
}

void TerminalQuestion::note(const std::string& line) const {
  const std::string whole = line + "\n";
  (void)!write(terminal_.get(), whole.data(), whole.size());
}

}  // namespace weir::keeper
