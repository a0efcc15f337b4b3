// Who lives in the room: a process tree under bubblewrap, with its files, environment, trust and terminal.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

namespace weir::launch {

struct Mount {
  enum class Mode { read_only, read_write } mode = Mode::read_only;
  std::string source;        // absolute, on the host
  std::string target;        // absolute, inside
  bool optional = false;     // left out when the source does not exist
  bool create = false;       // profile mounts: made (0700 folder, or empty 0600 file if `is_file`) when missing
  bool is_file = false;
};

struct SandboxSpec {
  std::vector<std::string> command;      // argv; argv[0] is looked up in PATH (find_command)
  std::string working_directory;         // the project folder: read-write at its own path
  std::vector<Mount> mounts;
  std::vector<std::string> pass_environment;         // names given with --env (NAME), copied from the host
  std::map<std::string, std::string> environment;    // set inside (profile, --env NAME=VALUE), after the allow-list
  std::string ca_certificate_pem;        // the sandbox's CA; public
  std::string sandbox_id;
};

struct ExitStatus {
  bool signaled = false;
  int code = 0;  // exit code, or the signal's number
};

// A started sandbox. Resource: the process tree is killed when the owner goes (and when the keeper dies).
class Sandbox {
 public:
  Sandbox(Sandbox&&) noexcept = default;
  Sandbox& operator=(Sandbox&&) noexcept = default;
  ~Sandbox();

  int pid_fd() const { return pid_fd_.get(); }        // readable when bubblewrap's outer process has ended
  pid_t command_pid();                                // host pid of the command; 0 until it runs
  void send_signal(int signal);                       // to the command, as if the user's shell had sent it
  ExitStatus wait();                                  // blocks; call when pid_fd is readable. Valid once.

 private:
  friend Result<Sandbox> start_sandbox(const SandboxSpec&, int, int);
  Sandbox() = default;
  pid_t outer_pid_ = 0;
  UniqueFd pid_fd_;
  UniqueFd status_socket_;
  pid_t command_pid_ = 0;
  bool waited_ = false;
};

// Starts the command in the room's namespaces (descriptors from netns::Room). The terminal, if any, is shared with the
// caller: the whole tree stays in the caller's process group, so the shell's job control works as without weir.
Result<Sandbox> start_sandbox(const SandboxSpec& spec, int user_namespace, int network_namespace);

// The executable that `name` means, by PATH (execvp's rules). Error "command_missing".
Result<std::string> find_command(const std::string& name);

}  // namespace weir::launch
