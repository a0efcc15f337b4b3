#include "vault/store/place.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace weir::vault::store {
namespace {

namespace fs = std::filesystem;

bool is_random(std::string_view digits) {
  return digits.size() == 12 &&
         std::ranges::all_of(digits, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// As replace_file() (base/file.h) names it, `FILE.<random>.tmp`; of a key's draft there may be one in turn.
bool is_draft_of(std::string_view name, const std::string& file) {
  if (!name.starts_with(file + ".") || !name.ends_with(".tmp")) return false;
  name.remove_prefix(file.size() + 1);
  name.remove_suffix(4);
  if (name.size() == 29 && name.substr(12, 5) == ".tmp.") return is_random(name.substr(0, 12)) && is_random(name.substr(17));
  return is_random(name);
}

constexpr auto kAbandoned = std::chrono::minutes(1);

}  // namespace

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<std::string> resolve_link(const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISLNK(status.st_mode)) return path;
  std::error_code error;
  const auto target = fs::canonical(path, error);
  if (error) return fail("vault_link", path + " is a symbolic link that leads to no file: " + error.message());
  return target.string();
}

Result<void> check_is_file(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode)) return {};
  return fail("vault_place", path + (S_ISDIR(status.st_mode) ? " is a folder" : " is not a regular file") +
                                 "; a file of weir's vault belongs there");
}

void remove_drafts(const std::string& path) {
  const std::string file = path.substr(path.rfind('/') + 1);
  std::error_code error;
  for (fs::directory_iterator at(folder_of(path), error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!is_draft_of(name, file)) continue;
    std::error_code unknown;
    const auto written = fs::last_write_time(at->path(), unknown);
    if (!unknown && written < fs::file_time_type::clock::now() - kAbandoned) fs::remove(at->path(), unknown);
  }
}

}  // namespace weir::vault::store
