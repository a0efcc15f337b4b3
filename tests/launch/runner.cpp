#include "runner.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace weir::launch {

const std::string kRunner = LAUNCH_RUNNER;
const std::string kProbe = LAUNCH_PROBE;

namespace {

constexpr unsigned kOrdinaryUser = 12345;  // no entry in passwd: containers are like that

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (std::string& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

[[noreturn]] void execute(const Host& host, std::vector<std::string> command, const std::string& folder) {
  host.become();
  std::vector<std::string> variables;
  for (const auto& [name, value] : host.environment) variables.push_back(name + "=" + value);
  if (chdir(folder.c_str()) != 0) _exit(98);
  auto argv = pointers(command);
  auto envp = pointers(variables);
  execve(argv[0], argv.data(), envp.data());
  _exit(99);
}

}  // namespace

Host::Host(bool ordinary_user) : user_(ordinary_user && getuid() == 0 ? kOrdinaryUser : getuid()) {
  std::string name = "/tmp/weir-launch-XXXXXX";
  home_ = mkdtemp(name.data());
  if (user_ != getuid() && chown(home_.c_str(), user_, user_) != 0) std::abort();
  make_folder(project());
  environment = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}, {"HOME", home_}, {"TERM", "xterm"}, {"WEIR_INIT", LAUNCH_INIT}};
}

Host::~Host() { std::filesystem::remove_all(home_); }

bool Host::as_root() const { return user_ == 0; }

void Host::become() const {
  if (user_ == getuid()) return;
  if (setgroups(0, nullptr) != 0 || setgid(user_) != 0 || setuid(user_) != 0) _exit(97);
}

void Host::write(const std::string& path, const std::string& content, unsigned mode) const {
  std::ofstream(path) << content;
  chmod(path.c_str(), mode);
  if (user_ != getuid() && chown(path.c_str(), user_, user_) != 0) std::abort();
}

void Host::make_folder(const std::string& path, unsigned mode) const {
  for (std::size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
    const std::string part = path.substr(0, at);
    if (mkdir(part.c_str(), mode) == 0 && user_ != getuid() && chown(part.c_str(), user_, user_) != 0) std::abort();
    if (at == std::string::npos) return;
  }
}

Outcome run(const Host& host, std::vector<std::string> arguments, const std::string& folder) {
  arguments.insert(arguments.begin(), kRunner);
  std::array<int, 2> out{};
  std::array<int, 2> err{};
  if (pipe2(out.data(), O_CLOEXEC) != 0 || pipe2(err.data(), O_CLOEXEC) != 0) std::abort();
  const pid_t child = fork();
  if (child == 0) {
    dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
    dup2(out[1], 1);
    dup2(err[1], 2);
    execute(host, std::move(arguments), folder.empty() ? host.project() : folder);
  }
  close(out[1]);
  close(err[1]);
  Outcome outcome;
  pollfd ready[2] = {{out[0], POLLIN, 0}, {err[0], POLLIN, 0}};
  std::array<std::string*, 2> texts{&outcome.out, &outcome.err};
  for (int open_ends = 2; open_ends > 0;) {
    if (poll(ready, 2, 60000) <= 0) {
      kill(child, SIGKILL);
      break;
    }
    for (std::size_t i = 0; i < 2; ++i) {
      if (ready[i].revents == 0) continue;
      char buffer[4096];
      const ssize_t got = read(ready[i].fd, buffer, sizeof buffer);
      if (got > 0) {
        texts[i]->append(buffer, static_cast<std::size_t>(got));
      } else {
        ready[i].fd = -1;
        --open_ends;
      }
    }
  }
  close(out[0]);
  close(err[0]);
  int status = 0;
  waitpid(child, &status, 0);
  outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return outcome;
}

Outcome run_shell(const Host& host, const std::string& script) { return run(host, {"--", "bash", "-c", script}); }

std::string probe(const Host& host, std::vector<std::string> what) {
  std::vector<std::string> arguments{"--", kProbe};
  arguments.insert(arguments.end(), what.begin(), what.end());
  Outcome outcome = run(host, std::move(arguments));
  while (!outcome.out.empty() && outcome.out.back() == '\n') outcome.out.pop_back();
  return outcome.status == 0 ? outcome.out : "status " + std::to_string(outcome.status) + ": " + outcome.err;
}

Terminal::Terminal(const Host& host, std::vector<std::string> command) {
  winsize size{};
  size.ws_row = 31;
  size.ws_col = 97;
  // Without NOFLSH the kernel throws away what is in both directions some time after a signal's key: by then a quick
  // answer to the signal may be among it, and the test would wait for that in vain.
  termios settings{};
  settings.c_iflag = ICRNL | IXON;
  settings.c_oflag = OPOST | ONLCR;
  settings.c_cflag = CS8 | CREAD;
  settings.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOCTL | IEXTEN | NOFLSH;
  settings.c_cc[VINTR] = 3;
  settings.c_cc[VQUIT] = 28;
  settings.c_cc[VERASE] = 127;
  settings.c_cc[VEOF] = 4;
  settings.c_cc[VSUSP] = 26;
  settings.c_cc[VMIN] = 1;
  child_ = forkpty(&terminal_, nullptr, &settings, &size);
  if (child_ == 0) execute(host, std::move(command), host.project());
  fcntl(terminal_, F_SETFD, FD_CLOEXEC);
}

Terminal::~Terminal() {
  if (child_ > 0) {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }
  close(terminal_);
}

void Terminal::type(const std::string& text) {
  if (write(terminal_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) std::abort();
}

bool Terminal::expect(const std::string& text, int timeout_ms) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  for (;;) {
    if (const auto at = seen_.find(text, expected_); at != std::string::npos) {
      expected_ = at + text.size();
      return true;
    }
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    pollfd ready{terminal_, POLLIN, 0};
    if (left <= 0 || poll(&ready, 1, static_cast<int>(left)) <= 0) return false;
    char buffer[4096];
    const ssize_t got = read(terminal_, buffer, sizeof buffer);
    if (got <= 0) return false;
    seen_.append(buffer, static_cast<std::size_t>(got));
  }
}

void Terminal::resize(int rows, int columns) {
  winsize size{};
  size.ws_row = static_cast<unsigned short>(rows);
  size.ws_col = static_cast<unsigned short>(columns);
  ioctl(terminal_, TIOCSWINSZ, &size);
}

void Terminal::signal(int number, int after_ms) const {
  if (after_ms > 0) poll(nullptr, 0, after_ms);  // a moment in the middle of something, not a wait for it
  kill(child_, number);
}

std::vector<pid_t> Terminal::descendants() const {
  std::vector<pid_t> found{child_};
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::string pid = std::to_string(found[i]);
    std::ifstream file("/proc/" + pid + "/task/" + pid + "/children");
    for (pid_t next = 0; file >> next;) found.push_back(next);
  }
  found.erase(found.begin());
  return found;
}

bool Terminal::stopped(int count, int timeout_ms) const {
  for (int waited = 0; waited < timeout_ms; waited += 10) {
    int found = 0;
    for (const pid_t pid : descendants()) {
      std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
      const std::string line{std::istreambuf_iterator<char>(file), {}};
      found += line.find(") T ") != line.npos ? 1 : 0;
    }
    if (found >= count) return true;
    poll(nullptr, 0, 10);
  }
  return false;
}

bool Terminal::all_end(const std::vector<pid_t>& processes, int timeout_ms) {
  for (int waited = 0; waited < timeout_ms; waited += 10) {
    bool any = false;
    for (const pid_t pid : processes) {
      std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
      const std::string line{std::istreambuf_iterator<char>(file), {}};
      any = any || (!line.empty() && line.find(") Z ") == line.npos);
    }
    if (!any) return true;
    poll(nullptr, 0, 10);
  }
  return false;
}

int Terminal::wait() {
  // What is still written must be read, or the writer would wait for us.
  // What is still written must be read, or the writer would wait for us.
  siginfo_t how{};
  for (int i = 0;
       i < 600 && waitid(P_PID, static_cast<id_t>(child_), &how, WEXITED | WNOHANG | WNOWAIT) == 0 && how.si_pid == 0; ++i)
    if (!expect("\x01never written\x01", 50)) poll(nullptr, 0, 5);
  if (how.si_pid == 0) kill(child_, SIGKILL);  // it hangs: let the test say so
  int status = 0;
  waitpid(child_, &status, 0);
  child_ = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace weir::launch
