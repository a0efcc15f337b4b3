#include "launch/process/layers.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <memory>
#include <utility>

namespace weir::launch {

std::size_t depth_of(const std::string& path) {
  return path == "/" ? 0 : static_cast<std::size_t>(std::count(path.begin(), path.end(), '/'));
}

Result<void> write_layers(const std::vector<Layer>& layers, Arguments& arguments) {
  std::vector<std::pair<std::size_t, std::size_t>> order;  // depth, then place in the given order
  for (std::size_t i = 0; i < layers.size(); ++i) order.emplace_back(depth_of(layers[i].target), i);
  std::sort(order.begin(), order.end());
  std::vector<std::string> hidden_folders;  // nothing below one of these needs a cover of its own
  for (const auto& [depth, index] : order) {
    const Layer& layer = layers[index];
    const bool covers = layer.kind == Layer::Kind::hidden_file || layer.kind == Layer::Kind::hidden_folder;
    if (covers && std::any_of(hidden_folders.begin(), hidden_folders.end(),
                              [&](const std::string& folder) { return is_within(layer.target, folder); }))
      continue;
    if (layer.kind == Layer::Kind::hidden_folder) hidden_folders.push_back(layer.target);
    Result<void> done;
    switch (layer.kind) {
      case Layer::Kind::tmpfs:
        arguments.add({"--perms", layer.mode, "--tmpfs", layer.target});
        break;
      case Layer::Kind::read_only:
        arguments.add({"--ro-bind", layer.source, layer.target});
        break;
      case Layer::Kind::read_write:
        arguments.add({"--bind", layer.source, layer.target});
        break;
      case Layer::Kind::folder:
        arguments.add({"--perms", layer.mode, "--dir", layer.target});
        break;
      case Layer::Kind::symlink:
        arguments.add({"--symlink", layer.source, layer.target});
        break;
      case Layer::Kind::generated:
        arguments.add({"--perms", "0444"});
        done = arguments.add_file("--ro-bind-data", layer.source, layer.target);
        break;
      case Layer::Kind::fresh_file:
        arguments.add({"--perms", "0600"});
        done = arguments.add_file("--file", layer.source, layer.target);
        break;
      // bubblewrap mounts without devices, so opening this null device gives EACCES to everybody.
      case Layer::Kind::hidden_file:
        arguments.add({"--ro-bind", "/dev/null", layer.target});
        break;
      case Layer::Kind::hidden_folder:
        arguments.add({"--perms", "0000", "--tmpfs", layer.target, "--remount-ro", layer.target});
        break;
      case Layer::Kind::proc:
        arguments.add({"--proc", layer.target});
        break;
      case Layer::Kind::dev:
        arguments.add({"--dev", layer.target});
        break;
    }
    if (!done) return done;
  }
  return {};
}

bool is_within(const std::string& path, const std::string& folder) {
  if (folder == "/") return path.starts_with('/');
  return path == folder || (path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/');
}

std::string resolved(const std::string& path) {
  std::string there = path;
  std::string missing;
  for (;;) {
    const std::unique_ptr<char, decltype(&std::free)> real(::realpath(there.c_str(), nullptr), &std::free);
    if (real) {
      const std::string base = real.get();
      return base == "/" && !missing.empty() ? missing : base + missing;
    }
    const auto slash = there.rfind('/');
    if (slash == std::string::npos || slash == 0) return path;
    missing = there.substr(slash) + missing;
    there.resize(slash);
  }
}

void add_system(std::vector<Layer>& layers) {
  const std::unique_ptr<DIR, int (*)(DIR*)> root(::opendir("/"), &::closedir);
  while (const dirent* entry = root ? ::readdir(root.get()) : nullptr) {
    const std::string name = entry->d_name;
    const bool wanted = name == "usr" || name == "bin" || name == "sbin" || name.starts_with("lib") || name == "opt" ||
                        name == "etc" || name == "nix" || name == "snap";
    if (!wanted) continue;
    const std::string path = "/" + name;
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) continue;
    if (S_ISLNK(status.st_mode)) {
      char target[PATH_MAX];
      const ssize_t length = ::readlink(path.c_str(), target, sizeof target);
      if (length > 0) layers.push_back({Layer::Kind::symlink, path, std::string(target, static_cast<std::size_t>(length))});
    } else if (S_ISDIR(status.st_mode)) {
      layers.push_back({Layer::Kind::read_only, path, path});
    }
  }
  layers.push_back({Layer::Kind::tmpfs, "/var"});
  for (const char* path : {"/var/lib/dpkg", "/var/lib/rpm", "/var/lib/pacman", "/var/lib/alternatives",
                           "/var/lib/snapd/snap", "/var/cache/fontconfig", "/sys/devices/system/cpu"}) {
    struct stat status{};
    if (::stat(path, &status) == 0 && S_ISDIR(status.st_mode)) layers.push_back({Layer::Kind::read_only, path, path});
  }
  layers.push_back({Layer::Kind::tmpfs, "/tmp", {}, "1777"});
  layers.push_back({Layer::Kind::folder, "/var/tmp", {}, "1777"});
  layers.push_back({Layer::Kind::symlink, "/var/run", "/run"});
  layers.push_back({Layer::Kind::symlink, "/var/lock", "/run/lock"});
  layers.push_back({Layer::Kind::tmpfs, "/run"});
  layers.push_back({Layer::Kind::folder, "/run/lock", {}, "1777"});
  layers.push_back({Layer::Kind::dev, "/dev"});
}

void add_proc(std::vector<Layer>& layers, bool as_root) {
  layers.push_back({Layer::Kind::proc, "/proc"});
  if (!as_root) return;
  // SECURITY: G6. The kernel lets user id 0 write sysctls and the like by id, not by capability. These covers are
  // locked for user namespaces made inside, and because of them the kernel refuses a second /proc there.
  const std::unique_ptr<DIR, int (*)(DIR*)> proc(::opendir("/proc"), &::closedir);
  while (const dirent* entry = proc ? ::readdir(proc.get()) : nullptr) {
    const std::string name = entry->d_name;
    if (name[0] == '.' || (name[0] >= '0' && name[0] <= '9')) continue;
    const std::string path = "/proc/" + name;
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) continue;
    if (S_ISDIR(status.st_mode)) {
      layers.push_back({Layer::Kind::read_only, path, path});
    } else if (S_ISREG(status.st_mode)) {
      if ((status.st_mode & S_IROTH) == 0)
        layers.push_back({Layer::Kind::hidden_file, path});
      else if ((status.st_mode & (S_IWUSR | S_IWGRP)) != 0)
        layers.push_back({Layer::Kind::read_only, path, path});
    }
  }
}

}  // namespace weir::launch
