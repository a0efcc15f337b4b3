#include "launch/process/system_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <climits>

namespace weir::launch {
namespace {

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

}  // namespace

std::string place_of(const std::string& path) {
  std::string at = path;
  for (int hops = 0; hops < 16; ++hops) {
    at = resolved(folder_of(at)) + at.substr(at.rfind('/'));
    struct stat status{};
    const bool exists = ::lstat(at.c_str(), &status) == 0;
    if (exists && S_ISLNK(status.st_mode)) {
      char target[PATH_MAX];
      const ssize_t length = ::readlink(at.c_str(), target, sizeof target);
      if (length <= 0) return {};
      const std::string link(target, static_cast<std::size_t>(length));
      at = link.starts_with('/') ? link : folder_of(at) + "/" + link;
      continue;
    }
    // /run and /var are empty folders inside, where anything can be put; the rest is the host's, read-only.
    if (is_within(at, "/run") || is_within(at, "/var")) return at;
    return exists && S_ISREG(status.st_mode) ? at : std::string();
  }
  return {};
}

void add_system_files(const Account& account, std::vector<Layer>& layers) {
  const std::string user = std::to_string(account.user);
  const std::string group = std::to_string(account.group);
  const auto add = [&](const char* path, std::string content) {
    if (std::string place = place_of(path); !place.empty())
      layers.push_back({Layer::Kind::generated, std::move(place), std::move(content)});
  };
  add("/etc/passwd", "root:x:0:0:root:/root:/usr/sbin/nologin\n" + account.name + ":x:" + user + ":" + group +
                         "::" + account.home + ":" + account.shell +
                         "\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n");
  add("/etc/group", "root:x:0:\n" + account.name + ":x:" + group + ":\nnogroup:x:65534:\n");
  add("/etc/hosts", std::string("127.0.0.1 localhost ") + kHostName + "\n::1 localhost ip6-localhost ip6-loopback\n");
  add("/etc/hostname", std::string(kHostName) + "\n");
  add("/etc/nsswitch.conf",
      "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\nprotocols: files\nservices: "
      "files\nethers: files\n");
  // Any address would do, for every one of them is answered by the room's resolver.
  add("/etc/resolv.conf", "nameserver 198.18.0.1\n");
}

}  // namespace weir::launch
