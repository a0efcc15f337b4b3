// What the caller may read under a system folder, or beside a program, but the sandbox must not.
#pragma once

#include <string>
#include <vector>

#include "launch/process/layers.h"

namespace weir::launch {

// Covers each file and folder below `folder` (to `depth` levels) that is not for everybody to read, yet could be read
// by the caller: all of them for root, those of the caller's groups for others.
// SECURITY: G2 (host keys, password hashes, network and cluster credentials).
void hide_private_files(const std::string& folder, int depth, std::vector<Layer>& layers);

// The same for the system's own: /etc, and the folders in it that hold credentials whatever their mode.
void hide_system_secrets(std::vector<Layer>& layers);

// weir's own folders (vault, sessions, configuration, control sockets), where they would be visible through a folder in `shown`.
void hide_own_folders(const std::vector<Shown>& shown, std::vector<Layer>& layers);

}  // namespace weir::launch
