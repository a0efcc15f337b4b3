#include "keeper/control_socket.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/file.h"
#include "base/ids.h"
#include "base/text.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77  // Linux 6.5
#endif

namespace weir::keeper {
namespace {

constexpr int kBacklog = 16;
constexpr std::string_view kEnding = ".sock";

// Opens `name` below `parent` (or an absolute path), making it if it is missing.
Result<UniqueFd> open_own_folder(int parent, const std::string& name, const std::string& shown) {
  if (mkdirat(parent, name.c_str(), 0700) != 0 && errno != EEXIST)
    return fail_errno("runtime_directory_unusable", "cannot make the folder " + shown, errno);
  UniqueFd folder(openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder) return fail_errno("runtime_directory_unusable", "cannot open the folder " + shown, errno);
  struct stat status{};
  if (fstat(folder.get(), &status) != 0) return fail_errno("runtime_directory_unusable", "cannot look at " + shown, errno);
  if (status.st_uid != geteuid() || (status.st_mode & 077) != 0)
    return fail("runtime_directory_unusable", shown + " must be yours alone (mode 0700), and is not; remove it, or set XDG_RUNTIME_DIR");
  return folder;
}

bool fill(sockaddr_un& address, const std::string& path) {
  address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return true;
}

UniqueFd unix_socket() { return UniqueFd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)); }

std::string in_folder(const UniqueFd& folder, const std::string& name) {
  return "/proc/self/fd/" + std::to_string(folder.get()) + "/" + name;
}

bool is_dead(const UniqueFd& folder, const std::string& name) {
  sockaddr_un address{};
  const UniqueFd probe = unix_socket();
  if (!probe || !fill(address, in_folder(folder, name))) return false;
  return connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 && errno == ECONNREFUSED;
}

bool same_user_namespace(pid_t pid) {
  struct stat own{};
  struct stat other{};
  return stat("/proc/self/ns/user", &own) == 0 && stat(("/proc/" + std::to_string(pid) + "/ns/user").c_str(), &other) == 0 &&
         own.st_ino == other.st_ino && own.st_dev == other.st_dev;
}

}  // namespace

Result<UniqueFd> open_socket_folder(const std::string& directory) {
  auto own = open_own_folder(AT_FDCWD, directory, directory);
  if (!own) return own;
  return open_own_folder(own->get(), "sessions", directory + "/sessions");
}

std::string control_socket_path(const UniqueFd& folder, const std::string& session) {
  return in_folder(folder, session + std::string(kEnding));
}

Result<UniqueFd> listen_for_control(const UniqueFd& folder, const std::string& session) {
  UniqueFd listener = unix_socket();
  sockaddr_un address{};
  const std::string unnamed = session + ".new";
  if (!listener || !fill(address, in_folder(folder, unnamed))) return fail_errno("control_socket_failed", "cannot make a socket", errno);
  // The folder is closed to others already; the mode is a second lock. fchmod before bind gives the file its mode.
  if (fchmod(listener.get(), 0600) != 0 || bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return fail_errno("control_socket_failed", "cannot make the control socket", errno);
  if (fchmodat(folder.get(), unnamed.c_str(), 0600, 0) != 0 || listen(listener.get(), kBacklog) != 0 ||
      renameat(folder.get(), unnamed.c_str(), folder.get(), (session + std::string(kEnding)).c_str()) != 0) {
    const int error = errno;
    unlinkat(folder.get(), unnamed.c_str(), 0);
    return fail_errno("control_socket_failed", "cannot listen on the control socket", error);
  }
  return listener;
}

void remove_control_socket(const UniqueFd& folder, const std::string& session) {
  unlinkat(folder.get(), (session + std::string(kEnding)).c_str(), 0);
}

std::vector<std::string> reachable_sessions(const UniqueFd& folder) {
  std::vector<std::string> sessions;
  const int copy = openat(folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);  // fdopendir takes its descriptor
  if (copy < 0) return sessions;
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(copy), &::closedir);
  while (const dirent* entry = entries ? ::readdir(entries.get()) : nullptr) {
    const std::string name = entry->d_name;
    if (!name.ends_with(kEnding)) continue;
    std::string session = name.substr(0, name.size() - kEnding.size());
    if (!is_id(session, "ses")) continue;
    if (is_dead(folder, name)) {
      unlinkat(folder.get(), name.c_str(), 0);
    } else {
      sessions.push_back(std::move(session));
    }
  }
  std::sort(sessions.begin(), sessions.end());
  return sessions;
}

Result<Peer> accept_peer(int connection, pid_t never) {
  const auto refused = [](const std::string& why) { return fail("peer_refused", why); };
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return refused("who has connected cannot be told");
  if (credentials.uid != geteuid() && credentials.uid != 0) return refused("another user has connected");
  // A pid of 0 is one that this pid namespace does not see.
  if (credentials.pid <= 0 || credentials.pid == never) return refused("a process has connected that may not");
  // Where the kernel gives it, a descriptor of the very process keeps its pid from meaning another one while it is looked at.
  UniqueFd process;
  int descriptor = -1;
  size = sizeof descriptor;
  if (getsockopt(connection, SOL_SOCKET, SO_PEERPIDFD, &descriptor, &size) == 0) process.reset(descriptor);
  if (!same_user_namespace(credentials.pid)) return refused("a process of another user namespace has connected: a sandbox, or a container");
  pollfd ended{process.get(), POLLIN, 0};
  if (process && poll(&ended, 1, 0) != 0) return refused("the process that connected has ended");
  Peer peer{credentials.pid, credentials.uid, {}};
  const passwd* entry = getpwuid(credentials.uid);
  peer.description = "user " + (entry != nullptr ? std::string(entry->pw_name) : std::to_string(credentials.uid)) + " pid " + std::to_string(credentials.pid);
  return peer;
}

}  // namespace weir::keeper
