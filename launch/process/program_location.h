// Where a command is installed when that is not a system folder: what must be shown for it to run (nvm, pyenv, cargo,
// ~/.local/bin). SECURITY: G2, such a folder never shows the home folder itself nor the places of credentials.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir::launch {

// The interpreter that a script's first line names, with `env` seen through: "#!/usr/bin/env -S node --x" gives "node",
// "#!/bin/sh -e" gives "/bin/sh". Empty: not a script. `head` is the start of the file.
std::string interpreter_of(std::string_view head);

// The folder (or the file alone) to show so that the program `path` works. `home` without trailing slash.
std::string installation_of(const std::string& path, const std::string& home);

// All that must be shown read-only for the command at `path` (absolute), in the host's paths, without what lies in a
// folder of `visible` already.
std::vector<std::string> program_folders(const std::string& path, const std::string& home,
                                         const std::vector<std::string>& visible);

}  // namespace weir::launch
