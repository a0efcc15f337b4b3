// Unix sockets with a path: a read-only mount does not stop connect(2) to them, so each one that would be visible is
// covered. SECURITY: G1 (docker.sock, ssh and gpg agents, database servers are ways out of the room).
// What is left: a socket that a host process makes in a shown folder after the sandbox has started.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "launch/process/layers.h"

namespace weir::launch {

// The path sockets in the text of /proc/net/unix, as they were bound: relative names too.
std::vector<std::string> bound_paths(std::string_view proc_net_unix);

// Adds a cover for each socket of the host in a shown folder: those that the kernel names, and those found within
// `depth` levels (sockets of other network namespaces, such as containers', are not named).
void hide_host_sockets(const std::vector<Shown>& shown, int depth, std::vector<Layer>& layers);

}  // namespace weir::launch
