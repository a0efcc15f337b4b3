// What must hold before anything is started, and the paths that come out of it.
#pragma once

#include <string>
#include <vector>

#include "launch/sandbox.h"

namespace weir::launch {

struct Checked {
  std::string bubblewrap;         // absolute
  std::string init;               // weir-init, absolute
  std::string command;            // absolute, as found by PATH
  std::string working_directory;  // absolute, without symbolic links
  std::string home;               // the home folder's path, inside as on the host
  std::vector<Mount> mounts;      // those that apply: {project} expanded, sources resolved, missing optional ones left out
};

// One clear error for the first thing that is wrong. Makes the missing sources of mounts that say `create`.
Result<Checked> check(const SandboxSpec& spec, bool may_create);

// Why `folder` (resolved) cannot be the project folder; empty: it can. Pure but for the paths of weir's own folders.
std::string unfit_project_folder(const std::string& folder, const std::string& home);

}  // namespace weir::launch
