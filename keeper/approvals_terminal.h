// One question on the terminal that the keeper shares with the sandbox's command.
//
// The sandbox stands still while the question does. SECURITY: G5, else it could paint another question over it, or read the answer: a
// read(2) that was under way when the foreground changed still gets what is typed. Job control alone would not do: a command in
// an orphaned process group gets EIO instead of SIGTTIN, and no group of the keeper's own can be made where it leads the one that it
// shares with the command. So a child of the keeper asks, in a group of its own; the keeper's loop goes on.
#pragma once

#include <sys/types.h>
#include <termios.h>
#include <uv.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/unique_fd.h"
#include "keeper/approvals_freeze.h"

namespace weir::keeper {

class TerminalQuestion {
 public:
  // A letter | Ctrl-C | end of input, or the terminal was taken away | it is gone, and SIGHUP has met the child instead of the command.
  enum class Outcome { answered, interrupted, ended, hung_up };

  // Nothing: not now (weir is not in the foreground, or the sandbox cannot be stopped). `on_answer` is called once from the loop, with
  // one of `letters` when answered; the question is then still on the terminal, until this object goes. `root`: the parent of all that
  // runs in the sandbox. `text` is written as it is.
  static std::unique_ptr<TerminalQuestion> ask(uv_loop_t* loop, pid_t root, const std::string& text, const std::string& letters,
                                               std::function<void(Outcome, char)> on_answer);
  TerminalQuestion(const TerminalQuestion&) = delete;
  TerminalQuestion& operator=(const TerminalQuestion&) = delete;
  ~TerminalQuestion();  // the terminal and the sandbox are as they were before

  // A line below the question. Never waits for the terminal.
  void note(const std::string& line) const;

 private:
  TerminalQuestion() = default;
  void on_readable();

  UniqueFd terminal_;  // not blocking; the child has its own
  UniqueFd pipe_;
  pid_t child_ = 0;
  bool reaped_ = false;
  pid_t foreground_ = 0;
  termios settings_{};
  std::optional<FrozenProcesses> frozen_;
  uv_poll_t* poll_ = nullptr;  // outlives this object until the loop has closed it
  std::function<void(Outcome, char)> on_answer_;
  void (*old_ttin_)(int) = nullptr;
  void (*old_ttou_)(int) = nullptr;
};

}  // namespace weir::keeper
