#include "launch/sandbox.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/message_channel.h"
#include "base/text.h"
#include "launch/process/arguments.h"
#include "launch/process/checks.h"
#include "launch/process/environment.h"
#include "launch/process/host_secrets.h"
#include "launch/process/host_sockets.h"
#include "launch/process/layers.h"
#include "launch/process/program_location.h"
#include "launch/process/seccomp_filter.h"
#include "launch/process/system_files.h"
#include "launch/process/trust.h"
#include "netns/room.h"

namespace weir::launch {
namespace {

constexpr const char* kInitInside = "/run/weir/init";

Account account_for(const std::string& home) {
  Account account{.user = getuid(), .group = getgid(), .name = "agent", .home = home, .shell = "/bin/sh"};
  const passwd* entry = account.user == 0 ? nullptr : getpwuid(account.user);
  if (account.user == 0) {
    // Agents refuse to work unattended as user id 0, and rightly so: inside it is an ordinary number.
    account.user = account.group = 1000;
  } else if (entry != nullptr && std::string_view(entry->pw_name).find(':') == std::string_view::npos) {
    account.name = entry->pw_name;
  }
  if (::access("/bin/bash", X_OK) == 0) account.shell = "/bin/bash";
  return account;
}

// Everything that is mounted, in no particular order but that later ones cover earlier ones of the same path.
std::vector<Layer> layers_for(const SandboxSpec& spec, const Checked& checked, const Account& account, bool as_root) {
  std::vector<Layer> layers;
  add_system(layers);
  add_proc(layers, as_root);
  layers.push_back({Layer::Kind::tmpfs, checked.home, {}, "0700"});

  std::vector<std::string> visible;
  for (const Layer& layer : layers)
    if (layer.kind == Layer::Kind::read_only || layer.kind == Layer::Kind::symlink) visible.push_back(layer.target);
  std::vector<Shown> shown{{checked.working_directory, checked.working_directory}};
  for (const std::string& path : visible)
    if (!is_within(path, "/proc") && !is_within(path, "/sys")) shown.push_back({path, path, true});
  visible.push_back(checked.working_directory);
  for (const Mount& mount : checked.mounts)
    if (!mount.source.empty() && !mount.hidden) visible.push_back(mount.target);

  for (const std::string& path : program_folders(checked.command, checked.home, visible)) {
    layers.push_back({Layer::Kind::read_only, path, path});
    hide_private_files(path, 2, layers);
    shown.push_back({path, path});
  }
  for (const Mount& mount : checked.mounts) {
    if (mount.content) {
      layers.push_back({Layer::Kind::fresh_file, mount.target, *mount.content});
    } else if (!mount.hidden) {
      const bool writable = mount.mode == Mount::Mode::read_write;
      layers.push_back({writable ? Layer::Kind::read_write : Layer::Kind::read_only, mount.target, mount.source});
      shown.push_back({mount.source, mount.target});
    }
  }
  layers.push_back({Layer::Kind::read_write, checked.working_directory, checked.working_directory});
  for (const Mount& mount : checked.mounts) {
    if (!mount.hidden) continue;
    // Only what is there can be covered; making a place for the cover would leave a file on the host.
    for (const Shown& folder : shown) {
      if (!is_within(mount.target, folder.target)) continue;
      struct stat status{};
      const std::string source = folder.source + mount.target.substr(folder.target.size());
      if (::stat(source.c_str(), &status) == 0)
        layers.push_back({S_ISDIR(status.st_mode) ? Layer::Kind::hidden_folder : Layer::Kind::hidden_file, mount.target});
    }
  }

  hide_system_secrets(layers);
  hide_own_folders(shown, layers);
  hide_host_sockets(shown, 3, layers);
  add_system_files(account, layers);
  add_trust(spec.ca_certificate_pem, layers);
  layers.push_back({Layer::Kind::tmpfs, "/run/weir"});
  layers.push_back({Layer::Kind::read_only, kInitInside, checked.init});
  return layers;
}

Result<Arguments> arguments_for(const SandboxSpec& spec, const Checked& checked) {
  const bool as_root = geteuid() == 0;
  const Account account = account_for(checked.home);
  Arguments arguments;
  arguments.add({"--unshare-user", "--uid", std::to_string(account.user), "--gid", std::to_string(account.group),
                 "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--hostname", kHostName, "--die-with-parent",
                 "--as-pid-1", "--cap-drop", "ALL", "--clearenv"});
  // No --new-session: the command shares the caller's terminal and job control. The filter below stops what that
  // would otherwise allow.
  auto filter = seccomp_filter(as_root);
  if (!filter) return std::unexpected(filter.error());
  arguments.add_descriptor("--seccomp", std::move(*filter));
  if (auto done = write_layers(layers_for(spec, checked, account, as_root), arguments); !done)
    return std::unexpected(done.error());
  arguments.add({"--remount-ro", "/run/weir", "--remount-ro", "/", "--chdir", checked.working_directory});
  SandboxSpec inside = spec;
  inside.working_directory = checked.working_directory;
  for (const auto& [name, value] : environment_for(inside, account, host_environment()))
    arguments.add({"--setenv", name, value});
  return arguments;
}

// What the child needs, made before fork: after it, only async-signal-safe calls.
struct ChildPlan {
  std::vector<int> inherited;  // descriptors that bubblewrap reads, and the status socket
  std::vector<const char*> argv;
  int user_namespace = -1;
  int network_namespace = -1;
  bool as_root = false;
};

[[noreturn]] void fail_child(const char* what, int error) {
  char line[256];
  const char* why = strerrorname_np(error);
  const int length = snprintf(line, sizeof line, "weir: %s: %s\n", what, why == nullptr ? "unknown error" : why);
  if (length > 0) (void)!::write(2, line, static_cast<std::size_t>(length));
  _exit(125);
}

[[noreturn]] void become_bubblewrap(const ChildPlan& plan) {
  // The terminal's signals are for the command; its keepers end with it. weir-init gives the command its own back.
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  for (const int number : {SIGINT, SIGQUIT, SIGHUP, SIGTERM}) signal(number, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  // The caller's further groups would still open the host's files for the sandbox.
  if (plan.as_root && setgroups(0, nullptr) != 0) fail_child("cannot drop the supplementary groups", errno);
  if (const int error = netns::enter_room(plan.user_namespace, plan.network_namespace); error != 0)
    fail_child("cannot enter the sandbox's namespaces", error);
  syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
  for (const int fd : plan.inherited) fcntl(fd, F_SETFD, 0);
  const char* environment[] = {nullptr};
  execve(plan.argv[0], const_cast<char**>(plan.argv.data()), const_cast<char**>(environment));
  fail_child("cannot start bubblewrap", errno);
}

}  // namespace

std::uint64_t ignored_signals() {
  std::uint64_t ignored = 0;
  for (int number = 1; number < NSIG; ++number) {
    struct sigaction action{};
    if (sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN)
      ignored |= std::uint64_t{1} << (number - 1);
  }
  return ignored;
}

Result<Sandbox> start_sandbox(const SandboxSpec& spec, int user_namespace, int network_namespace) {
  auto checked = check(spec, true);
  if (!checked) return std::unexpected(checked.error());
  auto arguments = arguments_for(spec, *checked);
  if (!arguments) return std::unexpected(arguments.error());
  auto words = file_of(arguments->words());
  if (!words) return std::unexpected(words.error());
  auto channel = make_channel();
  if (!channel) return std::unexpected(channel.error());
  auto& [ours, theirs] = *channel;
  const int on = 1;
  // The kernel attaches the sender's pid, as this process sees it.
  if (setsockopt(ours.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0)
    return fail_errno("sandbox_failed", "cannot watch the command", errno);

  const std::string words_fd = std::to_string(words->get());
  const std::string status_fd = std::to_string(theirs.get());
  char ignored[17];
  snprintf(ignored, sizeof ignored, "%llx", static_cast<unsigned long long>(spec.ignored_signals));
  ChildPlan plan;
  plan.user_namespace = user_namespace;
  plan.network_namespace = network_namespace;
  plan.as_root = geteuid() == 0;
  for (const UniqueFd& fd : arguments->descriptors()) plan.inherited.push_back(fd.get());
  plan.inherited.push_back(words->get());
  plan.inherited.push_back(theirs.get());
  plan.argv = {checked->bubblewrap.c_str(), "--args", words_fd.c_str(),        "--", kInitInside,
               status_fd.c_str(),           ignored,  checked->command.c_str()};
  for (const std::string& word : spec.command) plan.argv.push_back(word.c_str());
  plan.argv.push_back(nullptr);

  Sandbox sandbox;
  sandbox.command_name_ = spec.command[0];
  if (const UniqueFd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
      terminal && tcgetpgrp(terminal.get()) == getpgrp())
    sandbox.terminal_.reset(fcntl(terminal.get(), F_DUPFD_CLOEXEC, 3));

  // Signals wait while the child still has this process's handlers.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  const pid_t child = fork();
  if (child == 0) become_bubblewrap(plan);
  const int fork_error = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (child < 0) return fail_errno("sandbox_failed", "cannot start a process", fork_error);
  sandbox.outer_pid_ = child;
  sandbox.pid_fd_.reset(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  if (!sandbox.pid_fd_) {
    const int error = errno;
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    return fail_errno("sandbox_failed", "cannot watch the sandbox's process (Linux 5.3 or newer is needed)", error);
  }
  sandbox.status_socket_ = std::move(ours);
  return sandbox;
}

Sandbox& Sandbox::operator=(Sandbox&& other) noexcept {
  if (this == &other) return *this;
  end();
  outer_pid_ = other.outer_pid_;
  pid_fd_ = std::move(other.pid_fd_);
  status_socket_ = std::move(other.status_socket_);
  command_pid_ = other.command_pid_;
  command_pid_fd_ = std::move(other.command_pid_fd_);
  exec_error_ = other.exec_error_;
  wait_status_ = other.wait_status_;
  command_name_ = std::move(other.command_name_);
  terminal_ = std::move(other.terminal_);
  waited_ = other.waited_;
  return *this;
}

Sandbox::~Sandbox() { end(); }

void Sandbox::end() noexcept {
  if (!pid_fd_ || waited_) return;
  // bubblewrap dies with its parent, process 1 with bubblewrap, and all others with process 1.
  (void)syscall(SYS_pidfd_send_signal, pid_fd_.get(), SIGKILL, nullptr, 0);
  while (waitpid(outer_pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  give_terminal_back();
  pid_fd_.reset();
}

bool Sandbox::read_status(int timeout_ms) {
  if (!status_socket_) return false;
  pollfd ready{status_socket_.get(), POLLIN, 0};
  if (poll(&ready, 1, timeout_ms) <= 0) return false;
  char message[5] = {};
  iovec part{message, sizeof message};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(sizeof(int) * 4)];
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  const ssize_t got = recvmsg(status_socket_.get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (got != sizeof message) {
    status_socket_.reset();
    return false;
  }
  std::int32_t value = 0;
  std::memcpy(&value, message + 1, sizeof value);
  if (message[0] == 'E') exec_error_ = value;
  if (message[0] == 'X') wait_status_ = value;
  for (cmsghdr* item = CMSG_FIRSTHDR(&header); item != nullptr; item = CMSG_NXTHDR(&header, item)) {
    if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_CREDENTIALS || message[0] != 'S' || command_pid_ != 0)
      continue;
    ucred sender{};
    std::memcpy(&sender, CMSG_DATA(item), sizeof sender);
    command_pid_ = sender.pid;
    command_pid_fd_.reset(static_cast<int>(syscall(SYS_pidfd_open, sender.pid, 0)));
  }
  return true;
}

pid_t Sandbox::command_pid() {
  while (read_status(0)) {
  }
  return command_pid_;
}

void Sandbox::send_signal(int signal) {
  // A signal may come while the sandbox is being set up, which takes some ms: it waits for the command.
  while (command_pid_ == 0 && read_status(5000)) {
  }
  if (command_pid_fd_) {
    (void)syscall(SYS_pidfd_send_signal, command_pid_fd_.get(), signal, nullptr, 0);
  } else if (command_pid_ == 0 && pid_fd_ && !waited_ && signal != SIGCONT && signal != SIGWINCH) {
    (void)syscall(SYS_pidfd_send_signal, pid_fd_.get(), SIGKILL, nullptr, 0);
  }
}

// An interactive shell that ran inside made itself the terminal's foreground and could not undo it, since it cannot
// see the caller's process group. Without this, a script that called weir could not read the terminal any more.
void Sandbox::give_terminal_back() const {
  if (!terminal_ || tcgetpgrp(terminal_.get()) == getpgrp()) return;
  const pid_t holder = tcgetpgrp(terminal_.get());
  if (holder > 0 && kill(-holder, 0) == 0) return;  // somebody is there: the caller's shell has put us in the background
  sigset_t output;
  sigset_t before;
  sigemptyset(&output);
  sigaddset(&output, SIGTTOU);
  pthread_sigmask(SIG_BLOCK, &output, &before);
  (void)tcsetpgrp(terminal_.get(), getpgrp());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

ExitStatus Sandbox::wait() {
  int outer = 0;
  while (waitpid(outer_pid_, &outer, 0) < 0 && errno == EINTR) {
  }
  waited_ = true;
  while (read_status(0)) {
  }
  give_terminal_back();
  ExitStatus status;
  if (exec_error_) {
    const bool missing = *exec_error_ == ENOENT || *exec_error_ == ENOTDIR;
    status.code = missing ? 127 : 126;
    status.problem =
        "cannot run " + printable(command_name_) + " in the sandbox: " + std::strerror(*exec_error_) +
        (missing ? " (it, or the interpreter it names, is not visible there; show its folder with --mount)" : "");
  } else if (wait_status_) {
    status.signaled = WIFSIGNALED(*wait_status_);
    status.code = status.signaled ? WTERMSIG(*wait_status_) : WEXITSTATUS(*wait_status_);
  } else if (command_pid_ == 0) {
    status.code = 125;
    status.problem =
        "bubblewrap could not build the sandbox (its message is above); `weir doctor` says what this machine lacks";
  } else {
    // The command ran, and something took bubblewrap or process 1 away from it.
    status.signaled = true;
    status.code = WIFSIGNALED(outer) ? WTERMSIG(outer) : SIGKILL;
  }
  return status;
}

}  // namespace weir::launch
