// Which programs of a sandbox hold a TCP connection, as the kernel tells it (proc(5): /proc/PID/net/tcp, fd, exe). What it
// says is true at that moment; a program whose memory another may write is no better than that other.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "proxy/wire.h"

namespace weir::keeper {

// `process`: the host's pid of any process in the sandbox's network namespace. Paths as inside the sandbox, sorted, each once; an
// executable that was deleted meanwhile ends in " (deleted)". Empty: not known.
std::vector<std::string> connection_owners(pid_t process, const proxy::Endpoints& connection);

// The socket's inode in a table like /proc/net/tcp or tcp6; 0: not there. Pure.
std::uint64_t find_socket(std::string_view table, const proxy::Endpoints& connection);

}  // namespace weir::keeper
