// The sandbox's own small files in /etc: accounts, names, resolver.
#pragma once

#include <string>
#include <vector>

#include "launch/process/environment.h"
#include "launch/process/layers.h"

namespace weir::launch {

inline constexpr const char* kHostName = "weir";

// Where bubblewrap must put a file for it to be found as `path`: links are followed as they stand on the host, since
// the sandbox shows the same links. Empty when there is nothing to put it on (a missing file in a read-only folder).
std::string place_of(const std::string& path);

void add_system_files(const Account& account, std::vector<Layer>& layers);

}  // namespace weir::launch
