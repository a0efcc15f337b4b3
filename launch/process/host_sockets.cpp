#include "launch/process/host_sockets.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <memory>
#include <set>

#include "base/file.h"
#include "base/text.h"

namespace weir::launch {
namespace {

bool is_socket(const std::string& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

using Folder = std::unique_ptr<DIR, int (*)(DIR*)>;

// A relative name says nothing without the folder of the process that bound it: try every process that we may look at.
std::set<std::string> working_directories() {
  std::set<std::string> out;
  const Folder proc(::opendir("/proc"), &::closedir);
  while (const dirent* entry = proc ? ::readdir(proc.get()) : nullptr) {
    if (entry->d_name[0] < '0' || entry->d_name[0] > '9') continue;
    char target[PATH_MAX];
    const std::string link = std::string("/proc/") + entry->d_name + "/cwd";
    const ssize_t length = ::readlink(link.c_str(), target, sizeof target);
    if (length > 0) out.emplace(target, static_cast<std::size_t>(length));
  }
  return out;
}

void find_sockets(const std::string& folder, int depth, int& budget, std::set<std::string>& found) {
  const Folder open(::opendir(folder.c_str()), &::closedir);
  while (const dirent* entry = open && budget > 0 ? ::readdir(open.get()) : nullptr) {
    --budget;
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    const std::string path = folder + "/" + entry->d_name;
    if (entry->d_type == DT_SOCK || (entry->d_type == DT_UNKNOWN && is_socket(path))) found.insert(path);
    if (entry->d_type == DT_DIR && depth > 1) find_sockets(path, depth - 1, budget, found);
  }
}

}  // namespace

std::vector<std::string> bound_paths(std::string_view proc_net_unix) {
  // "Num RefCount Protocol Flags Type St Inode Path"; the name of an abstract socket starts with '@'.
  std::vector<std::string> out;
  for (std::string_view line : split(proc_net_unix, '\n')) {
    for (int field = 0; field < 7 && !line.empty(); ++field) {
      const auto end = line.find(' ');
      line = end == std::string_view::npos ? std::string_view{} : line.substr(end);
      const auto next = line.find_first_not_of(' ');
      // The last field keeps its own leading spaces, if it has any: only one separates it.
      line = next == std::string_view::npos ? std::string_view{} : line.substr(field == 6 ? 1 : next);
    }
    if (!line.empty() && line[0] != '@' && line != "Path") out.emplace_back(line);
  }
  return out;
}

void hide_host_sockets(const std::vector<Shown>& shown, int depth, std::vector<Layer>& layers) {
  std::set<std::string> found;
  if (const auto text = read_file("/proc/net/unix")) {
    std::set<std::string> folders;
    for (const std::string& name : bound_paths(*text)) {
      if (name[0] == '/') {
        found.insert(name);
        continue;
      }
      if (folders.empty()) folders = working_directories();
      for (const std::string& folder : folders) found.insert(folder + "/" + name);
    }
  }
  for (const Shown& folder : shown) {
    if (folder.of_system) continue;
    int budget = 20000;  // a big tree must not delay the start; what the kernel names is covered anyway
    find_sockets(folder.source, depth, budget, found);
  }
  std::set<std::string> covered;
  for (const std::string& name : found) {
    if (!is_socket(name)) continue;
    const std::string path = resolved(name);
    for (const Shown& folder : shown) {
      if (!is_within(path, folder.source)) continue;
      const std::string target = folder.target + path.substr(folder.source.size());
      if (covered.insert(target).second) layers.push_back({Layer::Kind::hidden_file, target});
    }
  }
}

}  // namespace weir::launch
