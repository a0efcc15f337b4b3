#include "base/paths.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

namespace weir {
namespace {

// The specification: relative paths in these variables are invalid and ignored.
std::string base_directory(const char* variable, const char* below_home) {
  const char* value = std::getenv(variable);
  if (value != nullptr && value[0] == '/') return std::string(value) + "/weir";
  return home_directory() + below_home + "/weir";
}

}  // namespace

std::string home_directory() {
  std::string home;
  if (const char* value = std::getenv("HOME"); value != nullptr && value[0] == '/') {
    home = value;
  } else if (const passwd* entry = getpwuid(getuid()); entry != nullptr) {
    home = entry->pw_dir;
  }
  while (home.size() > 1 && home.back() == '/') home.pop_back();
  return home;
}

std::string config_directory() { return base_directory("XDG_CONFIG_HOME", "/.config"); }
std::string state_directory() { return base_directory("XDG_STATE_HOME", "/.local/state"); }
std::string data_directory() { return base_directory("XDG_DATA_HOME", "/.local/share"); }
std::string sessions_directory() { return state_directory() + "/sessions"; }

std::string runtime_directory() {
  if (const char* value = std::getenv("XDG_RUNTIME_DIR"); value != nullptr && value[0] == '/') return std::string(value) + "/weir";
  const std::string user = std::to_string(getuid());
  struct stat status {};
  if (stat(("/run/user/" + user).c_str(), &status) == 0 && S_ISDIR(status.st_mode)) return "/run/user/" + user + "/weir";
  return "/tmp/weir-" + user;
}

}  // namespace weir
