// Which policy a run goes by, and whether a project's own file may be believed.
//
// The project folder is writable in the sandbox, so a command in it could leave a weir.yaml behind that widens the next
// run. A file that was there at the start is read-only inside; one that appeared while a sandbox ran is not used until
// somebody names it with --policy. SECURITY: G4.
#pragma once

#include <string>

#include "base/error.h"

namespace weir::cli {

class ProjectWatch {
 public:
  // Notes that a sandbox runs in `project` while it has no weir.yaml.
  explicit ProjectWatch(std::string project);
  ~ProjectWatch();  // takes the note back if there is still none
  ProjectWatch(const ProjectWatch&) = delete;
  ProjectWatch& operator=(const ProjectWatch&) = delete;

  static bool appeared_in_sandbox(const std::string& project);  // a weir.yaml is there that was not when a sandbox began
  static void believe(const std::string& project);              // somebody named the file

 private:
  std::string project_;
  std::string note_;
};

}  // namespace weir::cli
