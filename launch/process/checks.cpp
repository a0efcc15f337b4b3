#include "launch/process/checks.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "base/companion_program.h"
#include "base/file.h"
#include "base/paths.h"
#include "base/text.h"
#include "launch/process/layers.h"

namespace weir::launch {
namespace {

Result<std::string> find_bubblewrap() {
  for (const char* path : {"/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap"})
    if (::access(path, X_OK) == 0) return path;
  if (auto found = find_command("bwrap")) return found;
  return fail("bubblewrap_missing",
              "bubblewrap is not installed (no `bwrap` in PATH); install the package bubblewrap, then see `weir doctor`");
}

Result<std::string> find_init() {
  if (const char* given = std::getenv("WEIR_INIT"); given != nullptr && given[0] == '/') {
    if (::access(given, X_OK) == 0) return given;
    return fail("init_missing", std::string("WEIR_INIT names ") + printable(given) + ", which is not a program");
  }
  return companion_program("weir-init");
}

// The home folder's path for the inside. Accounts whose home is no place for files of their own get a neutral one.
std::string home_inside() {
  const std::string home = home_directory();
  if (home.empty() || home == "/" || home == "/nonexistent") return "/home/user";
  for (const char* system :
       {"/usr", "/bin", "/sbin", "/etc", "/dev", "/proc", "/sys", "/run", "/boot", "/lib", "/opt", "/nix"})
    if (is_within(home, system)) return "/home/user";
  return home;
}

Result<void> make_source(const Mount& mount) {
  if (!mount.is_file) return make_directories(mount.source, 0700);
  if (auto made = make_directories(mount.source.substr(0, mount.source.rfind('/')), 0700); !made) return made;
  const UniqueFd fd(::open(mount.source.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return fail_errno("mount_invalid", "cannot make " + printable(mount.source), errno);
  return {};
}

bool is_plain_absolute(const std::string& path) {
  if (path.size() < 2 || path[0] != '/' || path.find('\0') != std::string::npos) return false;
  const auto parts = split(std::string_view(path).substr(1), '/');
  return std::none_of(parts.begin(), parts.end(),
                      [](std::string_view part) { return part.empty() || part == "." || part == ".."; });
}

// Gives false when the mount does not apply.
Result<bool> check_mount(Mount& mount, const std::string& working_directory, bool may_create) {
  mount.source = expand_project(mount.source, working_directory);
  mount.target = expand_project(mount.target, working_directory);
  const std::string shown =
      "the mount " + printable(mount.source.empty() ? mount.target : mount.source + ":" + mount.target);
  while (mount.target.size() > 1 && mount.target.back() == '/') mount.target.pop_back();
  if (!is_plain_absolute(mount.target))
    return fail("mount_invalid", shown + ": the place inside must be an absolute path without `.` or `..`, and not `/`");
  for (const char* own : {"/proc", "/dev", "/sys", "/run/weir"})
    if (is_within(mount.target, own))
      return fail("mount_invalid", shown + ": nothing can be mounted in " + own + "; choose another place inside");
  if (mount.hidden || mount.content) return true;
  if (mount.source.empty() || mount.source[0] != '/' || mount.source.find('\0') != std::string::npos)
    return fail("mount_invalid", shown + ": the host's path must be absolute");
  struct stat status{};
  if (::stat(mount.source.c_str(), &status) != 0) {
    if (mount.optional) return false;
    if (!mount.create)
      return fail_errno("mount_missing", shown + ": cannot mount " + printable(mount.source) + " of the host", errno);
    if (!may_create) return true;
    if (auto made = make_source(mount); !made) return std::unexpected(made.error());
  } else if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode)) {
    return fail("mount_invalid",
                shown + ": only folders and regular files can be mounted, for a socket or device is a way out");
  }
  mount.source = resolved(mount.source);
  if (mount.source == "/")
    return fail("mount_invalid", shown + ": the host's whole tree cannot be mounted; name the folder that is needed");
  return true;
}

// A file made for the sandbox, in a folder that is the host's, would be written to the host. SECURITY: G6.
Result<void> check_made_files(const Checked& checked) {
  for (const Mount& made : checked.mounts) {
    if (!made.content || made.hidden) continue;
    const auto refuse = [&](const std::string& folder) {
      return fail("mount_invalid", "the sandbox is to have a file of its own at " + printable(made.target) + ", which would be written to the host's " +
                                       printable(folder) + ": leave that folder's mount out, or choose another project folder");
    };
    if (is_within(resolved(made.target), checked.working_directory) || is_within(made.target, checked.working_directory))
      return refuse(checked.working_directory);
    for (const Mount& shown : checked.mounts)
      if (!shown.content && !shown.hidden && is_within(made.target, shown.target)) return refuse(shown.source);
  }
  return {};
}

// A link to a program, in a folder that is reached through a link: the program's target is relative to the real folder, which
// is the one to show and to start it from.
std::string by_real_folder(const std::string& command) {
  std::error_code error;
  const auto slash = command.rfind('/');
  if (!std::filesystem::is_symlink(command, error) || slash == std::string::npos || slash == 0) return command;
  return resolved(command.substr(0, slash)) + command.substr(slash);
}

}  // namespace

std::string expand_project(std::string path, const std::string& working_directory) {
  constexpr std::string_view kMark = "{project}";
  std::string word = working_directory;
  for (char& c : word)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))) c = '-';
  for (auto at = path.find(kMark); at != std::string::npos; at = path.find(kMark, at + word.size()))
    path.replace(at, kMark.size(), word);
  return path;
}

std::string unfit_project_folder(const std::string& folder, const std::string& home) {
  if (folder == "/") return "it is the root of the file system";
  if (folder == home) return "it is your home folder, with all that is in it";
  if (is_within(home, folder)) return "your home folder lies in it";
  for (const char* shared :
       {"/tmp", "/var", "/var/tmp", "/opt", "/home", "/mnt", "/media", "/srv", "/run/user", "/run/media"})
    if (folder == shared) return "it is not yours alone";
  for (const char* system : {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/dev", "/proc", "/sys",
                             "/boot", "/nix", "/snap"})
    if (is_within(folder, system) && !is_within(folder, "/usr/src") && !is_within(folder, "/usr/local/src"))
      return "it is a folder of the system";
  if (is_within(folder, "/run") && !is_within(folder, "/run/user") && !is_within(folder, "/run/media"))
    return "it is a folder of the system";
  for (const char* name : {"/.ssh", "/.gnupg", "/.aws", "/.kube", "/.docker"})
    if (is_within(folder, home + name)) return "it holds credentials";
  for (const std::string& own : {config_directory(), state_directory(), data_directory()})
    if (is_within(folder, resolved(own))) return "it holds weir's own files";
  return {};
}

Result<Checked> check(const SandboxSpec& spec, bool may_create) {
  Checked checked;
  if (spec.command.empty())
    return fail("command_missing", "there is no command; say what to run after `--`, as in: weir run -- bash");
  for (const std::string& word : spec.command)
    if (word.find('\0') != std::string::npos) return fail("command_invalid", "an argument of the command holds a NUL byte");
  for (const auto& [name, value] : spec.environment)
    if (name.empty() || name.find('=') != std::string::npos || name.find('\0') != std::string::npos ||
        value.find('\0') != std::string::npos)
      return fail("environment_invalid",
                  "`" + printable(name) + "` cannot be an environment variable: write NAME or NAME=VALUE");

  checked.home = home_inside();
  if (!spec.working_directory.starts_with('/'))
    return fail("folder_unfit", "the project folder " + printable(spec.working_directory) + " is not an absolute path");
  struct stat status{};
  if (::stat(spec.working_directory.c_str(), &status) != 0)
    return fail_errno("folder_unfit", "cannot use the project folder " + printable(spec.working_directory), errno);
  if (!S_ISDIR(status.st_mode))
    return fail("folder_unfit", "the project folder " + printable(spec.working_directory) + " is not a folder");
  checked.working_directory = resolved(spec.working_directory);
  if (const std::string why = unfit_project_folder(checked.working_directory, resolved(home_directory())); !why.empty())
    return fail("folder_unfit", "the sandbox may write everything in the folder it starts in, and " +
                                    printable(checked.working_directory) + " is not fit for that: " + why +
                                    ". Change to a project folder (mkdir project && cd project) and run it there");

  auto bubblewrap = find_bubblewrap();
  if (!bubblewrap) return std::unexpected(bubblewrap.error());
  checked.bubblewrap = std::move(*bubblewrap);
  auto init = find_init();
  if (!init) return std::unexpected(init.error());
  checked.init = std::move(*init);
  auto command = find_command(spec.command[0]);
  if (!command) return std::unexpected(command.error());
  checked.command = by_real_folder(*command);

  for (Mount mount : spec.mounts) {
    const auto applies = check_mount(mount, checked.working_directory, may_create);
    if (!applies) return std::unexpected(applies.error());
    if (*applies) checked.mounts.push_back(std::move(mount));
  }
  if (auto made = check_made_files(checked); !made) return std::unexpected(made.error());
  return checked;
}

Result<void> check_spec(const SandboxSpec& spec) {
  auto checked = check(spec, false);
  if (!checked) return std::unexpected(checked.error());
  return {};
}

}  // namespace weir::launch
