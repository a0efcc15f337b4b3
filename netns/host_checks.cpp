#include "netns/host_checks.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/file.h"
#include "base/text.h"
#include "base/unique_fd.h"
#include "netns/room.h"

namespace weir::netns {
namespace {

using enum HostCheck::Status;
using Version = std::array<int, 3>;

constexpr Version kOldestKernel{5, 15, 0};
constexpr Version kOldestBubblewrap{0, 5, 0};
constexpr std::uint64_t kLittleSpace = 256ULL << 20;
constexpr std::uint64_t kNoSpace = 16ULL << 20;

// The first number of up to three parts in the text: "bubblewrap 0.8.0", "6.1.0-18-amd64".
std::optional<Version> find_version(std::string_view text) {
  const std::size_t start = text.find_first_of("0123456789");
  if (start == std::string_view::npos) return std::nullopt;
  Version version{};
  const char* at = text.data() + start;
  const char* end = text.data() + text.size();
  for (int& part : version) {
    const auto [next, error] = std::from_chars(at, end, part);
    if (error != std::errc()) break;
    at = next;
    if (at == end || *at != '.') break;
    ++at;
  }
  return version;
}

std::string text_of(const Version& version) {
  return std::to_string(version[0]) + "." + std::to_string(version[1]) +
         (version[2] != 0 ? "." + std::to_string(version[2]) : "");
}

std::string mebibytes(std::uint64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

std::optional<long> setting(const std::string& path) {
  const auto text = read_file(path, 64);
  if (!text) return std::nullopt;
  const std::string_view digits = trim(*text);
  long value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc()) return std::nullopt;
  return value;
}

// The errno that a child gets for a new user and network namespace.
int try_namespaces() {
  const pid_t child = fork();
  if (child < 0) return errno;
  if (child == 0) _exit(unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 ? 0 : std::min(errno, 255));
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

// Standard output of a program found in PATH; nullopt when it cannot be started or fails.
std::optional<std::string> output_of(const char* program, const char* argument) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return std::nullopt;
  UniqueFd out(ends[0]);
  UniqueFd in(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.get(), STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::array<char*, 3> arguments{const_cast<char*>(program), const_cast<char*>(argument), nullptr};
  pid_t child = -1;
  const int error = posix_spawnp(&child, program, &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return std::nullopt;
  in.reset();
  std::string text;
  char buffer[512];
  ssize_t got = 0;
  while ((got = read(out.get(), buffer, sizeof buffer)) > 0 && text.size() < 4096)
    text.append(buffer, static_cast<std::size_t>(got));
  out.reset();
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return std::nullopt;
  return text;
}

HostCheck check(std::string name, HostCheck::Status status, std::string found, std::string remedy = {}) {
  return {.name = std::move(name), .status = status, .found = std::move(found), .remedy = std::move(remedy)};
}

const char* const kInstallBubblewrap = "Debian, Ubuntu: sudo apt install bubblewrap. Fedora: sudo dnf install bubblewrap.";

}  // namespace

std::string_view status_name(HostCheck::Status status) {
  switch (status) {
    case ok:
      return "ok";
    case warning:
      return "warning";
    case missing:
      return "missing";
  }
  return "missing";
}

std::vector<HostCheck> check_host(const std::string& state_directory) {
  utsname system{};
  uname(&system);
  return {check_kernel(system.release),
          check_proc(),
          check_user_namespaces(),
          check_room(),
          check_ipv6(),
          check_bubblewrap(),
          check_seccomp(),
          check_landlock(landlock_abi()),
          check_state_directory(state_directory),
          check_tun("/dev/net/tun")};
}

bool all_needed_is_there(const std::vector<HostCheck>& checks) {
  return std::none_of(checks.begin(), checks.end(), [](const HostCheck& each) { return each.status == missing; });
}

HostCheck check_kernel(std::string_view release) {
  const auto version = find_version(release);
  const std::string found = "Linux " + printable(release, 64);
  if (version && *version >= kOldestKernel) return check("kernel", ok, found);
  return check("kernel", missing, found,
               "weir needs Linux " + text_of(kOldestKernel) +
                   " or later. Debian 12, Ubuntu 22.04, Fedora 36 and later have it; "
                   "on those, install the newest kernel package and reboot.");
}

HostCheck check_proc() {
  struct statfs system{};
  if (statfs("/proc", &system) == 0 && system.f_type == PROC_SUPER_MAGIC && access("/proc/self/ns/net", R_OK) == 0)
    return check("/proc", ok, "mounted");
  return check("/proc", missing, "not mounted, or without /proc/self/ns", "Mount it: sudo mount -t proc proc /proc");
}

HostCheck check_user_namespaces() {
  const int error = try_namespaces();
  if (error == 0) return check("user namespaces", ok, "allowed");
  return check("user namespaces", missing, std::string("refused: ") + std::strerror(error), user_namespace_refusal());
}

std::string user_namespace_refusal(const std::string& proc_sys, bool privileged) {
  const std::string keep = " (to keep it: put the same setting into /etc/sysctl.d/60-weir.conf)";
  if (setting(proc_sys + "/user/max_user_namespaces") == 0)
    return "user.max_user_namespaces is 0: sudo sysctl user.max_user_namespaces=15000" + keep + ".";
  if (!privileged && setting(proc_sys + "/kernel/unprivileged_userns_clone") == 0)
    return "kernel.unprivileged_userns_clone is 0 (Debian's switch): sudo sysctl kernel.unprivileged_userns_clone=1" + keep +
           ".";
  if (!privileged && setting(proc_sys + "/kernel/apparmor_restrict_unprivileged_userns").value_or(0) != 0)
    return "kernel.apparmor_restrict_unprivileged_userns is 1 (Ubuntu 23.10 and later): either allow weir alone with an "
           "AppArmor profile, "
           "/etc/apparmor.d/weir: `abi <abi/4.0>, profile weir /usr/local/bin/weir flags=(unconfined) { userns, }` with the "
           "path of your weir, "
           "then sudo apparmor_parser -r /etc/apparmor.d/weir; or allow all programs: "
           "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0" +
           keep + ".";
  return "no setting in /proc/sys forbids user namespaces: in a container its seccomp or AppArmor profile does so by "
         "default (Docker, Podman: "
         "--security-opt seccomp=unconfined --security-opt apparmor=unconfined); elsewhere a security module may (see the "
         "kernel's log: sudo dmesg).";
}

std::string user_namespace_refusal() { return user_namespace_refusal("/proc/sys", geteuid() == 0); }

HostCheck check_room() {
  const auto room = make_room();
  if (room) return check("sealed room", ok, "made: nftables, redirect and the drop log work");
  return check("sealed room", missing, room.error().message,
               "weir needs these kernel modules: nf_tables, nft_chain_nat, nft_redir, nft_ct, nft_log, nfnetlink_log, "
               "nft_reject_inet. "
               "Load them as root: for m in nf_tables nft_chain_nat nft_redir nft_ct nft_log nfnetlink_log nft_reject_inet; "
               "do sudo modprobe $m; done "
               "(Debian, Ubuntu: package linux-image-amd64 or linux-modules-extra; Fedora: kernel-modules). If user "
               "namespaces are refused, see there first.");
}

HostCheck check_ipv6() {
  const UniqueFd probe(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (probe) return check("IPv6", ok, "in the kernel");
  return check("IPv6", warning, "the kernel has none",
               "Sandboxes get IPv4 alone, which is enough for most. To have it, boot without ipv6.disable=1.");
}

HostCheck check_bubblewrap() {
  const auto output = output_of("bwrap", "--version");
  if (output) return check_bubblewrap_version(*output);
  return check("bubblewrap", missing, "the program bwrap is not in PATH, or does not run", kInstallBubblewrap);
}

HostCheck check_bubblewrap_version(std::string_view output) {
  const auto version = find_version(output);
  const std::string found = printable(trim(output), 64);
  if (version && *version >= kOldestBubblewrap) return check("bubblewrap", ok, found);
  return check("bubblewrap", missing, found,
               "weir needs bubblewrap " + text_of(kOldestBubblewrap) + " or later. " + kInstallBubblewrap);
}

HostCheck check_seccomp() {
  const unsigned action = SECCOMP_RET_KILL_PROCESS;
  if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0) return check("seccomp", ok, "filters work");
  return check("seccomp", missing, std::string("the kernel has no filters: ") + std::strerror(errno),
               "weir confines its proxy with them: boot a kernel built with CONFIG_SECCOMP_FILTER (those of Debian, Ubuntu "
               "and Fedora are).");
}

int landlock_abi() {
  const long abi = syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return abi > 0 ? static_cast<int>(abi) : 0;
}

HostCheck check_landlock(int abi) {
  if (abi > 0) return check("Landlock", ok, "ABI " + std::to_string(abi));
  return check("Landlock", warning, "off",
               "The proxy runs without this second fence round files; its seccomp filter still holds. To switch it on, add "
               "`landlock` to the kernel's "
               "lsm= parameter (Debian, Ubuntu: GRUB_CMDLINE_LINUX in /etc/default/grub, then sudo update-grub; Fedora: "
               "sudo grubby --update-kernel=ALL "
               "--args=lsm=landlock,…) and reboot.");
}

HostCheck check_state_directory(const std::string& path) {
  const std::string name = "state directory";
  std::string existing = path;
  struct stat status{};
  while (stat(existing.c_str(), &status) != 0) {
    const std::size_t slash = existing.find_last_of('/');
    if (errno != ENOENT || slash == std::string::npos)
      return check(name, missing, path + ": " + std::strerror(errno),
                   "Make it accessible, or set XDG_STATE_HOME to a folder of your own.");
    existing = slash == 0 ? "/" : existing.substr(0, slash);
    if (slash == 0 && stat("/", &status) == 0) break;
  }
  const std::string own =
      "Give it to yourself: sudo chown -R \"$(id -un)\" '" + existing + "'; or set XDG_STATE_HOME to a folder of your own.";
  if (!S_ISDIR(status.st_mode))
    return check(name, missing, existing + " is not a folder", "Move it away, or set XDG_STATE_HOME to another folder.");
  if (existing == path && status.st_uid != geteuid()) return check(name, missing, path + " belongs to another user", own);
  if (access(existing.c_str(), R_OK | W_OK | X_OK) != 0)
    return check(name, missing, existing + " cannot be written by you", own);
  if (existing == path && (status.st_mode & 022) != 0)
    return check(name, missing, path + " can be written by other users", "Close it: chmod go-w '" + path + "'");

  struct statvfs space{};
  if (statvfs(existing.c_str(), &space) != 0) return check(name, missing, existing + ": " + std::strerror(errno), own);
  const std::uint64_t free = static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize;
  const std::string found = path + ", " + mebibytes(free) + " free";
  const std::string make_room_on_disk =
      "Events are written before requests go out; on a full disk every request is refused. Free some space there, "
      "or set XDG_STATE_HOME to a folder on another disk.";
  if (free < kNoSpace) return check(name, missing, found, make_room_on_disk);
  if (free < kLittleSpace) return check(name, warning, found, make_room_on_disk);
  return check(name, ok, found);
}

HostCheck check_tun(const std::string& device) {
  const UniqueFd probe(open(device.c_str(), O_RDWR | O_CLOEXEC));
  if (probe) return check("tap devices", ok, device);
  const int error = errno;
  return check("tap devices", warning, device + ": " + std::strerror(error),
               error == EACCES ? "Only microVM sandboxes need it: sudo chmod 0666 " + device + " (to keep it: a udev rule)."
                               : "Only microVM sandboxes need it: sudo modprobe tun.");
}

}  // namespace weir::netns
