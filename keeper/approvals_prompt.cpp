#include "keeper/approvals_prompt.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>
#include <utility>

#include "base/text.h"

namespace weir::keeper {
namespace {

constexpr std::uint64_t kRetryMs = 1'000;
constexpr std::uint64_t kSoonMs = 1;  // in a turn of its own: what asks may be in the middle of something
constexpr const char* kLetters = "yhsnl";

// Undoes what the sandbox may have left on the terminal to hide a question: colours, character sets.
std::string plain_terminal() {
  const char* kind = std::getenv("TERM");
  return kind == nullptr || std::string_view(kind) == "dumb" ? "" : "\033[0m\033(B\017";
}

}  // namespace

std::string question_text(const Pending& pending) {
  const Subject& subject = pending.subject;
  const bool usual = (subject.scheme == "https" && subject.port == 443) || (subject.scheme == "http" && subject.port == 80);
  std::string request = subject.method + (subject.method.empty() ? "" : " ") + subject.scheme + "://" + subject.host;
  if (!usual) request += ":" + std::to_string(subject.port);
  request += subject.path;
  if (subject.protocol == "websocket") request += " (WebSocket)";
  if (!subject.operation.empty()) request += " (" + subject.operation + (subject.operation_name.empty() ? "" : " " + subject.operation_name) + ")";
  const std::string rule = subject.rule == proxy::kNoRule ? "the policy's default" : "rule `" + printable(subject.rule_name, 80) + "`";
  return "weir: " + printable(request, 600) + "  (" + rule +
         ") — allow? [y] once, [h] this host for the session, [s] this for the session, [n] no, [l] later: ";
}

ApprovalPrompt::ApprovalPrompt(uv_loop_t* loop, Approvals& approvals, std::function<pid_t()> root)
    : loop_(loop), approvals_(approvals), root_(std::move(root)) {
  uv_timer_init(loop_, &timer_);
  timer_.data = this;
}

bool ApprovalPrompt::is_possible() {
  if (isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1) return false;
  const UniqueFd terminal(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  return static_cast<bool>(terminal);
}

void ApprovalPrompt::on_new() {
  if (stopped_ || question_ != nullptr || uv_is_active(reinterpret_cast<uv_handle_t*>(&timer_)) != 0) return;
  uv_timer_start(
      &timer_, [](uv_timer_t* timer) { static_cast<ApprovalPrompt*>(timer->data)->consider(); }, kSoonMs, kRetryMs);
}

void ApprovalPrompt::consider() {
  if (stopped_ || question_ != nullptr) {
    uv_timer_stop(&timer_);
    return;
  }
  const Pending* next = nullptr;
  for (const auto& view : approvals_.pending()) {
    if (view.waiting == 0 || later_.contains(view.pending->id)) continue;  // nobody waits for it: the commands can still decide
    next = view.pending;
    break;
  }
  if (next == nullptr) {
    uv_timer_stop(&timer_);
    return;
  }
  const pid_t root = root_();
  if (root <= 0) return;  // not yet: the timer comes again
  asking_ = next->id;
  question_ = TerminalQuestion::ask(loop_, root, "\n" + plain_terminal() + question_text(*next), kLetters,
                                    [this](TerminalQuestion::Outcome outcome, char letter) { take(std::string(asking_), outcome, letter); });
  if (question_ != nullptr) uv_timer_stop(&timer_);
}

void ApprovalPrompt::take(const std::string& id, TerminalQuestion::Outcome outcome, char letter) {
  using Lasts = Standing::Lasts;
  auto question = std::exchange(question_, nullptr);  // gone at the end: the terminal is given back after the last word
  asking_.clear();
  if (outcome == TerminalQuestion::Outcome::hung_up) {
    stop();
    question.reset();
    if (on_hang_up) on_hang_up();
    return;
  }
  if (outcome == TerminalQuestion::Outcome::ended || letter == 'l') {
    later_.insert(id);
    question->note(std::string(outcome == TerminalQuestion::Outcome::ended ? "\n" : "") + "weir: it waits; `weir approve " + id.substr(4) + "` or `weir deny` decides");
  } else {
    Ruling ruling;
    ruling.by = "terminal";
    ruling.granted = outcome == TerminalQuestion::Outcome::answered && letter != 'n';
    ruling.lasts = letter == 'h' || letter == 's' ? Lasts::session : Lasts::once;
    ruling.host_wide = letter == 'h';
    if (!ruling.granted) ruling = {false, Lasts::once, 0, false, "terminal"};
    const auto decided = approvals_.rule(id, ruling);
    question->note(!decided          ? "weir: " + decided.error().message
                   : ruling.granted ? std::string("weir: approved") + (letter == 'h' ? ", this host for the session" : letter == 's' ? ", for the session" : "")
                                    : "weir: denied");
  }
  on_new();  // the next one, if there is one
}

void ApprovalPrompt::on_gone(const Pending& pending, std::string_view how) {
  later_.erase(pending.id);
  if (question_ == nullptr || asking_ != pending.id) return;
  question_->note("\nweir: no answer is needed any more: " + printable(how, 200));
  put_away();
}

void ApprovalPrompt::put_away() {
  if (question_ == nullptr) return;
  asking_.clear();
  question_.reset();
  if (!stopped_) uv_timer_start(&timer_, [](uv_timer_t* timer) { static_cast<ApprovalPrompt*>(timer->data)->consider(); }, kRetryMs, kRetryMs);
}

void ApprovalPrompt::stop() {
  stopped_ = true;
  uv_timer_stop(&timer_);
  if (question_ != nullptr) question_->note("");
  put_away();
}

}  // namespace weir::keeper
