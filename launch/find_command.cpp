#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "base/text.h"
#include "launch/sandbox.h"

namespace weir::launch {
namespace {

bool is_executable_file(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

std::string absolute(const std::string& path) {
  if (path.starts_with('/')) return path;
  char* here = ::getcwd(nullptr, 0);
  if (here == nullptr) return path;
  std::string out = std::string(here) + "/" + path;
  std::free(here);
  return out;
}

}  // namespace

Result<std::string> find_command(const std::string& name) {
  if (name.empty()) return fail("command_missing", "the command is empty; say what to run after `--`");
  if (name.find('/') != std::string::npos) {
    struct stat status{};
    if (::stat(name.c_str(), &status) != 0) return fail_errno("command_missing", "cannot run " + printable(name), errno);
    if (!is_executable_file(name))
      return fail("command_not_executable",
                  printable(name) + " is not a program that you may run; try: chmod +x " + printable(name));
    return absolute(name);
  }
  const char* path = std::getenv("PATH");
  std::string unusable;
  for (const auto folder : split(path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path, ':')) {
    std::string candidate = (folder.empty() ? std::string(".") : std::string(folder)) + "/" + name;
    if (is_executable_file(candidate)) return absolute(candidate);
    struct stat status{};
    if (unusable.empty() && ::stat(candidate.c_str(), &status) == 0 && S_ISREG(status.st_mode)) unusable = candidate;
  }
  if (!unusable.empty())
    return fail("command_not_executable",
                printable(unusable) + " is not a program that you may run; try: chmod +x " + printable(unusable));
  return fail("command_missing", "there is no command `" + printable(name) + "` in PATH; install it, or give its full path");
}

}  // namespace weir::launch
