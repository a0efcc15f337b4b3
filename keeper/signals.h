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
  struct Received {
    int signal = 0;           // 0: there is none
    bool by_process = false;  // sent with kill(2), not by the kernel for the terminal
  };
  // The next signal to act on. Those that the kernel sent for the terminal have reached the
  // command already and are left out, but for SIGTSTP, which concerns weir itself.
  Received next();
  // Stops this process as SIGTSTP would have, so that the shell that started it sees its job stopped. Returns when continued.
  static void stop_like_the_job();

 private:
  UniqueFd fd_;
  sigset_t original_mask_{};
};

}  // namespace weir::keeper
