// Where running keepers can be reached: a Unix socket for each session, SESSION.sock, in a folder that only its user can enter.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

namespace weir::keeper {

// The folder of the sockets, made if need be, 0700, ours. SECURITY: G1, G6: a link, another owner or a wider mode is an error, on each
// level that weir makes. `directory` is runtime_directory().
Result<UniqueFd> open_socket_folder(const std::string& directory);

// A listening socket under its name, 0600. It has the name only once it listens: who finds it can connect.
Result<UniqueFd> listen_for_control(const UniqueFd& folder, const std::string& session);
void remove_control_socket(const UniqueFd& folder, const std::string& session);

// The sessions whose keepers answer, sorted. Sockets that dead keepers left are removed.
std::vector<std::string> reachable_sessions(const UniqueFd& folder);

// A path to a session's socket that fits into sockaddr_un whatever the folder's length. Valid while `folder` is open.
std::string control_socket_path(const UniqueFd& folder, const std::string& session);

struct Peer {
  pid_t pid = 0;
  uid_t uid = 0;
  std::string description;  // "user NAME pid 123"
};

// Who has connected. SECURITY: G1, G6: only this user or root, and only from the user namespace that the keeper itself is in; what
// runs in a sandbox has another, whatever was mounted into it. `never`: a process that may not (the proxy).
Result<Peer> accept_peer(int connection, pid_t never);

}  // namespace weir::keeper
