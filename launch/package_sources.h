// Where this host's package managers get their packages, as the text of a policy preset.
//
// Each tool is asked itself, so that a company's mirror works without a line of policy. It is asked in a neutral folder, with
// the user's own environment and configuration. SECURITY: G4, what a sandbox can write to has no say: not its programs, not
// variables that point there, not configuration that lies there.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weir::launch {

// The preset `name` (npm, pip, cargo, go or apt): an ordinary policy file whose comments say what was found and from where.
// It only lets packages be read. User names and passwords in what was found are left out. `sandbox_writable` are folders that
// sandboxes can write to; the current folder counts as one by itself, unless it holds the home folder.
// Takes as long as the tool does (npm and pip: some tenths of a second), at most 20 s for each of its programs.
// Errors: "tool_missing", "tool_untrusted" (only the sandbox's own is there), "tool_failed".
Result<std::string> package_preset(std::string_view name, const std::vector<std::string>& sandbox_writable = {});

// The same as a policy::HostPreset: policy::load_file(file, launch::PackagePresets{}).
struct PackagePresets {
  std::vector<std::string> sandbox_writable{};
  Result<std::string> operator()(std::string_view name) const { return package_preset(name, sandbox_writable); }
};

}  // namespace weir::launch
