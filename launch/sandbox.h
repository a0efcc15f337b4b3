// Who lives in the room: a process tree under bubblewrap, with its files, environment, trust and terminal.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

namespace weir::launch {

struct Mount {
  enum class Mode { read_only, read_write } mode = Mode::read_only;
  std::string source;     // absolute, on the host; "{project}" in it and in target: see expand_project()
  std::string target;     // absolute, inside
  bool optional = false;  // left out when the source does not exist
  bool create = false;    // profile mounts: made (0700 folder, or empty 0600 file if `is_file`) when missing
  bool is_file = false;
  bool hidden = false;  // the target is covered by something empty that cannot be read; the source is not used
  // An ordinary file with this text, fresh for each sandbox and writable in it, instead of something from the host.
  std::optional<std::string> content = std::nullopt;
  bool operator==(const Mount&) const = default;
};

struct SandboxSpec {
  std::vector<std::string> command;  // argv; argv[0] is looked up in PATH (find_command)
  std::string working_directory;     // the project folder: read-write at its own path
  std::vector<Mount> mounts;
  std::vector<std::string> pass_environment;       // names given with --env (NAME), copied from the host
  std::map<std::string, std::string> environment;  // set inside (profile, --env NAME=VALUE), after the allow-list
  std::string ca_certificate_pem;                  // the sandbox's CA; public
  std::string sandbox_id;
  std::uint64_t ignored_signals = 0;  // those that the command is to find ignored: what ignored_signals() gave at start
};

struct ExitStatus {
  bool signaled = false;
  int code = 0;         // exit code, or the signal's number
  std::string problem;  // why the command never ran (code is then 127: not found, 126: not executable, 125: no sandbox)
};

// A started sandbox. Resource: the process tree is killed when the owner goes (and when the keeper dies, or the thread
// that called start_sandbox: prctl(2), PR_SET_PDEATHSIG).
class Sandbox {
 public:
  Sandbox(Sandbox&&) noexcept = default;
  Sandbox& operator=(Sandbox&& other) noexcept;
  ~Sandbox();

  int pid_fd() const { return pid_fd_.get(); }  // readable when bubblewrap's outer process has ended
  pid_t command_pid();                          // host pid of the command; 0 until it runs
  void send_signal(int signal);                 // to the command, as if the user's shell had sent it
  ExitStatus wait();                            // blocks; call when pid_fd is readable. Valid once.

 private:
  friend Result<Sandbox> start_sandbox(const SandboxSpec&, int, int);
  Sandbox() = default;
  void end() noexcept;
  bool read_status(int timeout_ms);  // takes in one message; false when there is none (any more)
  void give_terminal_back() const;

  pid_t outer_pid_ = 0;
  UniqueFd pid_fd_;  // without it there is no process to end
  UniqueFd status_socket_;
  pid_t command_pid_ = 0;
  UniqueFd command_pid_fd_;
  std::optional<int> exec_error_;
  std::optional<int> wait_status_;
  std::string command_name_;
  UniqueFd terminal_;  // when this process group was the terminal's foreground at the start
  bool waited_ = false;
};

// Starts the command in the room's namespaces (descriptors from netns::Room). The terminal, if any, is shared with the
// caller: the whole tree stays in the caller's process group, so the shell's job control works as without weir. Signals
// from the terminal reach the command by themselves: do not forward those with send_signal.
Result<Sandbox> start_sandbox(const SandboxSpec& spec, int user_namespace, int network_namespace);

// What start_sandbox checks first, without starting anything: bubblewrap, the command, the folder, the mounts.
Result<void> check_spec(const SandboxSpec& spec);

// The signals this process ignores now, bit n-1 for signal n. Call it first thing in main, before handlers are set.
std::uint64_t ignored_signals();

// The executable that `name` means, by PATH (execvp's rules). Error "command_missing".
Result<std::string> find_command(const std::string& name);

// `path` with "{project}" replaced by the working directory in one word, each character but letters and digits a dash:
// how agents name a project's folder among their own.
std::string expand_project(std::string path, const std::string& working_directory);

}  // namespace weir::launch
