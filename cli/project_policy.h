// Whether a project's own weir.yaml may be believed.
//
// Folders that are writable in a sandbox are remembered with the times at which sandboxes ran in them. A policy file that is
// found (not named with --policy) and was last changed while a sandbox could write there may be the sandbox's own work:
// it is not used until somebody names it. The kernel sets a file's change time; nothing in the sandbox can. SECURITY: G4.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace weir::cli {

// Remembers that a sandbox runs now and can write to `folders`; its end is noted when this goes. A keeper that is killed
// leaves the end open, and so everything later in doubt.
class SandboxPeriod {
 public:
  explicit SandboxPeriod(const std::vector<std::string>& folders);
  ~SandboxPeriod();
  SandboxPeriod(const SandboxPeriod&) = delete;
  SandboxPeriod& operator=(const SandboxPeriod&) = delete;

 private:
  std::vector<std::string> records_;
  std::string started_;
};

// Whether `file` (absolute), or what it links to, was changed while a sandbox could write to its folder, and has not been
// accepted as it is now.
bool may_be_a_sandboxs_work(const std::string& file);

// Somebody named the file: as it is now, it is believed from here on.
void accept_policy(const std::string& file);

}  // namespace weir::cli
