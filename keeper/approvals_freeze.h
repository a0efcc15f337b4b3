// A sandbox's processes, stopped for a while.
#pragma once

#include <sys/types.h>

#include <optional>
#include <utility>
#include <vector>

#include "base/unique_fd.h"

namespace weir::keeper {

class FrozenProcesses {
 public:
  // Stops every process below `root`, not itself: whatever its process group, session or terminal. Nothing, and all of them going on,
  // when that does not succeed within 200 ms (a fork bomb, a process stuck in the kernel).
  static std::optional<FrozenProcesses> freeze(pid_t root);
  FrozenProcesses(FrozenProcesses&&) noexcept = default;
  FrozenProcesses& operator=(FrozenProcesses&& other) noexcept {
    std::swap(stopped_, other.stopped_);
    return *this;
  }
  ~FrozenProcesses();  // lets go on what it stopped, children before their parents, so that no shell inside sees a stopped job

 private:
  FrozenProcesses() = default;
  struct Stopped {
    pid_t pid = 0;
    std::size_t depth = 0;
    UniqueFd process;
  };
  std::vector<Stopped> stopped_;
};

// Whether a process of this group is `root` or below it.
bool group_is_below(pid_t group, pid_t root);

// The parent; 0 when there is no such process.
pid_t parent_of(pid_t pid);

}  // namespace weir::keeper
