// What of this host a sandbox cannot have written: programs of PATH, and the user's environment. Value.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weir::launch {

class Surroundings {
 public:
  // `environment`: the host's. `writable`: folders that sandboxes can write to, absolute.
  Surroundings(const std::map<std::string, std::string>& environment, const std::vector<std::string>& writable);

  // The first program of that name in PATH that a sandbox cannot have written. "tool_missing", "tool_untrusted".
  Result<std::string> find(const std::string& program) const;

  // Whether a path, links followed, leads to where a sandbox can write.
  bool in_sandbox_hands(const std::string& path) const;

  const std::map<std::string, std::string>& environment() const { return environment_; }
  std::string variable(const std::string& name) const;  // empty when it is not set
  const std::string& home() const { return home_; }     // links not followed
  const std::vector<std::string>& notes() const { return notes_; }  // what was left out, and why: a sentence each

 private:
  bool points_into_sandbox(std::string_view value) const;

  std::vector<std::string> writable_;  // links followed
  std::map<std::string, std::string> environment_;
  std::string home_;
  std::vector<std::string> path_;
  std::vector<std::string> skipped_;  // folders of PATH
  std::vector<std::string> notes_;
};

}  // namespace weir::launch
