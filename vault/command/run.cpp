#include "vault/command/run.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/unique_fd.h"

namespace weir::vault {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kComplaint = 4096;  // kept of standard error
constexpr std::int64_t kSliceMs = 200;    // how soon a cancellation is seen

struct Pipe {
  UniqueFd read, write;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("exec_failed", "cannot make a pipe", errno);
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// The child as posix_spawn(3) starts it: nothing of the keeper's but the environment.
class Spawn {
 public:
  Spawn(int out, int err) {
    posix_spawn_file_actions_init(&files_);
    posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files_, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files_, err, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&files_, STDERR_FILENO + 1);
    posix_spawnattr_init(&attributes_);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);  // the keeper blocks what it reads from a signalfd
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  Spawn(const Spawn&) = delete;
  Spawn& operator=(const Spawn&) = delete;
  ~Spawn() {
    posix_spawn_file_actions_destroy(&files_);
    posix_spawnattr_destroy(&attributes_);
  }
  int start(pid_t& pid, const std::vector<std::string>& command) const {
    std::vector<char*> arguments;
    for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    return posix_spawn(&pid, arguments.front(), &files_, &attributes_, arguments.data(), environ);
  }

 private:
  posix_spawn_file_actions_t files_{};
  posix_spawnattr_t attributes_{};
};

struct Output {
  Secret out;
  std::size_t size = 0;
  std::string complaint;
  bool too_long = false;
};

// Until both pipes are closed; false when time is up.
bool collect(int out, int err, Clock::time_point deadline, const std::atomic<bool>* cancelled, Output& output) {
  pollfd ends[2] = {{out, POLLIN, 0}, {err, POLLIN, 0}};
  while (ends[0].fd >= 0 || ends[1].fd >= 0) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0 || (cancelled != nullptr && *cancelled)) return false;
    if (::poll(ends, 2, static_cast<int>(std::min<std::int64_t>(left, kSliceMs))) < 0 && errno != EINTR) return false;
    if ((ends[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
      const ssize_t got = ::read(out, output.out.data() + output.size, output.out.size() - output.size);
      if (got > 0) output.size += static_cast<std::size_t>(got);
      if (output.size == output.out.size()) {
        output.too_long = true;
        return true;
      }
      if (got == 0 || (got < 0 && errno != EINTR)) ends[0].fd = -1;
    }
    if ((ends[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
      char block[1024];
      const ssize_t got = ::read(err, block, sizeof block);
      if (got > 0 && output.complaint.size() < kComplaint) output.complaint.append(block, static_cast<std::size_t>(got));
      if (got == 0 || (got < 0 && errno != EINTR)) ends[1].fd = -1;
    }
    ends[0].revents = ends[1].revents = 0;
  }
  return true;
}

// Its exit status, waited for until the deadline. A program may close its output and go on.
bool reap(pid_t pid, Clock::time_point deadline, int& status) {
  for (;;) {
    const pid_t ended = ::waitpid(pid, &status, WNOHANG);
    if (ended == pid || (ended < 0 && errno != EINTR)) return true;
    if (Clock::now() >= deadline) return false;
    ::usleep(1000);
  }
}

std::string first_line(const std::string& text) {
  const std::string_view line = trim(std::string_view(text).substr(0, text.find('\n')));
  return line.empty() ? "" : ": " + printable(line, 200);
}

}  // namespace

Result<std::vector<std::string>> parse_command(std::string_view text) {
  std::vector<std::string> command;
  if (text.starts_with('[')) {
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_array()) return fail("exec_invalid", "`exec:` has a list that is no JSON");
    for (const auto& word : json) {
      if (!word.is_string()) return fail("exec_invalid", "the list behind `exec:` may have strings only");
      command.push_back(word.get<std::string>());
      if (command.back().find('\0') != std::string::npos) return fail("exec_invalid", "`exec:` has a NUL in it");
    }
  } else {
    command.emplace_back(text);
  }
  if (command.empty() || !command.front().starts_with('/'))
    return fail("exec_invalid", "`exec:` needs the absolute path of a program, for instance exec:/usr/local/bin/token");
  return command;
}

Result<Secret> run_command(const std::vector<std::string>& command, CommandLimits limits) {
  const std::string name = printable(command.front(), 200);
  auto out = make_pipe();
  if (!out) return std::unexpected(out.error());
  auto err = make_pipe();
  if (!err) return std::unexpected(err.error());
  pid_t pid = 0;
  if (const int problem = Spawn(out->write.get(), err->write.get()).start(pid, command); problem != 0)
    return fail_errno("exec_failed", "cannot start " + name, problem);
  out->write.reset();
  err->write.reset();

  const auto deadline = Clock::now() + std::chrono::milliseconds(limits.milliseconds);
  Output output{.out = Secret::of_size(limits.octets + 1), .size = 0, .complaint = {}, .too_long = false};
  int status = 0;
  const bool closed = collect(out->read.get(), err->read.get(), deadline, limits.cancelled, output);
  const bool ended = closed && !output.too_long && reap(pid, deadline, status);
  if (!ended) {
    ::kill(-pid, SIGKILL);  // not yet reaped, so the group is still its own
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (output.too_long)
      return fail("exec_too_long", name + " printed more than " + std::to_string(limits.octets / 1024) + " KiB");
    return fail("exec_too_slow", name + " did not end within " + std::to_string(limits.milliseconds / 1000) +
                                     " s; it must not ask for anything" + first_line(output.complaint));
  }
  if (WIFSIGNALED(status))
    return fail("exec_failed",
                name + " was ended by signal " + std::to_string(WTERMSIG(status)) + first_line(output.complaint));
  if (WEXITSTATUS(status) != 0)
    return fail("exec_failed",
                name + " ended with status " + std::to_string(WEXITSTATUS(status)) + first_line(output.complaint));
  if (output.size > 0 && output.out.reveal()[output.size - 1] == '\n') --output.size;
  output.out.shrink(output.size);
  if (output.out.empty()) return fail("exec_empty", name + " printed nothing" + first_line(output.complaint));
  return std::move(output.out);
}

}  // namespace weir::vault
