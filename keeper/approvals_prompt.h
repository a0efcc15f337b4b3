// Pending approvals, asked about on the terminal of `weir run`, one after the other.
#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "keeper/approvals.h"
#include "keeper/approvals_terminal.h"

namespace weir::keeper {

class ApprovalPrompt {
 public:
  // `root`: the parent of all that runs in the sandbox, 0 while it is not known.
  ApprovalPrompt(uv_loop_t* loop, Approvals& approvals, std::function<pid_t()> root);
  ApprovalPrompt(const ApprovalPrompt&) = delete;
  ApprovalPrompt& operator=(const ApprovalPrompt&) = delete;

  // Whether this process has a terminal to ask on: standard input and error, and the one that controls it.
  static bool is_possible();

  void on_new();                                             // something waits
  void on_gone(const Pending& pending, std::string_view how);  // decided elsewhere, or expired
  void put_away();                                           // for now: the command has to run
  void stop();                                               // for good

  std::function<void()> on_hang_up;  // the terminal is gone: the command, which stood still, is to be told

 private:
  void consider();
  void take(const std::string& id, TerminalQuestion::Outcome outcome, char letter);

  uv_loop_t* loop_;
  Approvals& approvals_;
  std::function<pid_t()> root_;
  uv_timer_t timer_{};  // tries again, when the terminal was not to be had
  std::unique_ptr<TerminalQuestion> question_;
  std::string asking_;             // the approval's identifier
  std::set<std::string> later_;    // left to the commands
  bool stopped_ = false;
};

// The question's text for a pending approval, safe for a terminal.
std::string question_text(const Pending& pending);

}  // namespace weir::keeper
