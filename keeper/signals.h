// Signals to the keeper, read instead of handled (signalfd(2)), so that who sent them can be told: what the terminal
// sends reaches the sandbox's command by itself, what a process sends to weir is passed on.
#pragma once

#include <csignal>

#include "base/error.h"
#include "base/unique_fd.h"

namespace weir::keeper {

class Signals {
 public:
  // Blocks the signals in this process and opens the descriptor. Children must unblock: original_mask().
  static Result<Signals> catch_all();
  int fd() const { return fd_.get(); }
  const sigset_t& original_mask() const { return original_mask_; }
  // The next signal that a process (not the kernel) sent to weir; 0 when there is none.
  int next_from_process();

 private:
  UniqueFd fd_;
  sigset_t original_mask_{};
};

}  // namespace weir::keeper
