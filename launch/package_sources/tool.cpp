#include "launch/package_sources/tool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "base/text.h"
#include "base/unique_fd.h"
#include "launch/package_sources/findings.h"

namespace weir::launch {

namespace {

constexpr std::size_t kMostOutput = 4U << 20;

std::string name_of(const std::string& program) { return program.substr(program.rfind('/') + 1); }

// Ends the program and all that it started: its process group is its own.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  ~Child() { end(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  int end() {  // waits; the group is killed first, of which nothing is left when all went well
    if (pid_ <= 0) return status_;
    ::kill(-pid_, SIGKILL);
    while (::waitpid(pid_, &status_, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status_;
  }
  // Leaves the zombie, so that the group's number cannot become another's before it is killed.
  bool has_ended() const {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid_;
  }

 private:
  pid_t pid_;
  int status_ = 0;
};

struct Pipe {
  UniqueFd read, write;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("tool_failed", "cannot make a pipe", errno);
  Pipe pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
  (void)::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK);
  return pipe;
}

Result<pid_t> spawn(const ToolCall& call, int out, int err) {
  std::vector<std::string> words{call.program}, variables;
  words.insert(words.end(), call.arguments.begin(), call.arguments.end());
  for (const auto& [name, value] : call.environment) variables.push_back(name + "=" + value);
  const auto pointers = [](std::vector<std::string>& strings) {
    std::vector<char*> all;
    for (auto& string : strings) all.push_back(string.data());
    all.push_back(nullptr);
    return all;
  };
  auto argv = pointers(words), envp = pointers(variables);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out, 1);
  posix_spawn_file_actions_adddup2(&actions, err, 2);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  posix_spawn_file_actions_addchdir_np(&actions, call.directory.c_str());
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, call.program.c_str(), &actions, &attributes, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return fail_errno("tool_failed", "cannot run " + printable(call.program, 300), error);
  return pid;
}

// Takes what there is now. False at the end of the stream.
bool drain(int fd, std::string& into) {
  char buffer[1 << 14];
  for (;;) {
    const auto size = ::read(fd, buffer, sizeof buffer);
    if (size > 0) into.append(buffer, static_cast<std::size_t>(size));
    if (size == 0) return false;
    if (size < 0 && errno != EINTR) return errno == EAGAIN;
    if (into.size() > kMostOutput) return true;
  }
}

}  // namespace

Result<ToolAnswer> run_tool(const ToolCall& call) {
  auto out = make_pipe(), err = make_pipe();
  if (!out || !err) return std::unexpected((out ? err : out).error());
  const auto pid = spawn(call, out->write.get(), err->write.get());
  if (!pid) return std::unexpected(pid.error());
  Child child(*pid);
  out->write.reset();
  err->write.reset();
  const UniqueFd ended(static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0)));
  const auto deadline = std::chrono::steady_clock::now() + call.time_limit;
  ToolAnswer answer;
  bool out_open = true, err_open = true;
  // Until the program's own end: what it left behind in the background may hold the pipes open, and is not waited for.
  while (!child.has_ended()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    if (left <= 0)
      return fail("tool_failed", fmt::format("{} did not end within {} s", name_of(call.program), call.time_limit.count() / 1000));
    if (answer.out.size() > kMostOutput || answer.err.size() > kMostOutput)
      return fail("tool_failed", fmt::format("{} said more than {} MiB", name_of(call.program), kMostOutput >> 20));
    pollfd wait[] = {{ended.get(), POLLIN, 0}, {out_open ? out->read.get() : -1, POLLIN, 0}, {err_open ? err->read.get() : -1, POLLIN, 0}};
    if (::poll(wait, 3, static_cast<int>(left)) < 0 && errno != EINTR)
      return fail_errno("tool_failed", "cannot wait for " + name_of(call.program), errno);
    if (out_open) out_open = drain(out->read.get(), answer.out);
    if (err_open) err_open = drain(err->read.get(), answer.err);
  }
  if (out_open) (void)drain(out->read.get(), answer.out);
  if (err_open) (void)drain(err->read.get(), answer.err);
  const int status = child.end();
  answer.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return answer;
}

Result<std::string> ask_tool(const ToolCall& call) {
  auto answer = run_tool(call);
  if (!answer) return std::unexpected(answer.error());
  if (answer->status == 0) return std::move(answer->out);
  std::string last;
  for (const auto line : split(answer->err, '\n'))
    if (!trim(line).empty()) last = trim(line);
  return fail("tool_failed", fmt::format("`{}` failed with status {}{}", command_line(call), answer->status,
                                         last.empty() ? "" : ": " + printable(without_passwords(last), 300)));
}

std::string command_line(const ToolCall& call) {
  std::string text = name_of(call.program);
  for (const auto& argument : call.arguments) text += " " + (argument.find(' ') == std::string::npos ? argument : "'" + argument + "'");
  return printable(without_passwords(text), 300);
}

}  // namespace weir::launch
