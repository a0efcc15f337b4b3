#include "keeper/session.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "base/file.h"
#include "base/message_channel.h"

namespace weir::keeper {
namespace {

constexpr std::uint64_t kFinishMs = 2'000;  // for the proxy to report what was open
constexpr int kStopAttempts = 250;          // of 2 ms, for the command to stop after SIGTSTP
constexpr int kBurst = 64;                  // messages taken from the proxy before they are written together

}  // namespace

void say(const std::string& message) { std::fprintf(stderr, "weir: %s\n", message.c_str()); }

Session::Session(RunOptions& options, EventRecorder& recorder, ProxyClient& proxy, std::vector<Secret>& secrets, Signals& signals)
    : options_(options), recorder_(recorder), proxy_(proxy), secrets_(secrets), signals_(signals) {
  uv_loop_init(&loop_);
  uv_timer_init(&loop_, &finish_timer_);
  finish_timer_.data = this;
}

launch::ExitStatus Session::run(launch::Sandbox sandbox) {
  sandbox_ = std::make_unique<launch::Sandbox>(std::move(sandbox));
  watch(channel_poll_, proxy_.channel(), [](Session& self) { self.on_proxy_message(); });
  watch(proxy_poll_, proxy_.pid_fd(), [](Session& self) { self.on_proxy_exit(); });
  watch(sandbox_poll_, sandbox_->pid_fd(), [](Session& self) { self.on_sandbox_exit(); });
  watch(signal_poll_, signals_.fd(), [](Session& self) { self.on_signal(); });
  recorder_.sync_in_background(&loop_);
  while (!ended_) uv_run(&loop_, UV_RUN_ONCE);
  return exit_;
}

void Session::watch(Watch& watch, int fd, void (*callback)(Session&)) {
  watch.session = this;
  watch.callback = callback;
  uv_poll_init(&loop_, &watch.poll, fd);
  watch.poll.data = &watch;
  uv_poll_start(&watch.poll, UV_READABLE, [](uv_poll_t* poll, int, int) {
    auto& happened = *static_cast<Watch*>(poll->data);
    happened.callback(*happened.session);
  });
}

void Session::on_signal() {
  for (auto received = signals_.next(); received.signal != 0; received = signals_.next()) {
    if (sandbox_ == nullptr) continue;
    if (received.by_process) sandbox_->send_signal(received.signal);
    if (received.signal == SIGTSTP && command_has_stopped()) Signals::stop_like_the_job();
  }
}

// Job control: the terminal (or the command itself) stopped the whole process group. The shell looks at weir alone, so weir
// stops last; if it stopped first, the command could still take a key that was meant for the shell. A command that
// does not stop keeps weir going too, as it would keep its job going without weir.
bool Session::command_has_stopped() {
  const pid_t command = sandbox_->command_pid();
  if (command <= 0) return true;
  for (int attempt = 0; attempt < kStopAttempts; ++attempt) {
    const auto status = read_file("/proc/" + std::to_string(command) + "/stat");
    if (!status) return true;  // it is gone
    const auto name_end = status->rfind(')');  // the name before it may hold anything
    if (name_end != std::string::npos && name_end + 2 < status->size() && (*status)[name_end + 2] == 'T') return true;
    usleep(2000);
  }
  return false;
}

// SECURITY: G5, what comes from the proxy is judged, not believed: unknown kinds, event types it may not report, malformed
// fields or numbers out of order end it.
void Session::on_proxy_message() {
  std::uint64_t upto = 0;
  bool sound = true;
  for (int i = 0; i < kBurst && sound; ++i) {
    auto message = receive_message(proxy_.channel());
    if (!message) {
      if (message.error().code == "channel_closed") {
        uv_poll_stop(&channel_poll_.poll);
        channel_closed_ = true;
      }
      break;
    }
    sound = take_message(message->bytes, upto);
  }
  if (upto > 0) {
    const auto written = recorder_.commit();
    if (written) {
      proxy_.recorded(upto);
      store_failing_ = false;
    } else {
      proxy_.not_recorded(upto);
      if (!store_failing_) say("the event store cannot be written, so requests are refused: " + written.error().message);
      store_failing_ = true;
    }
  }
  if (!sound) {
    proxy_problem_ = "it sent a message that no proxy sends";
    proxy_.kill();
  }
}

bool Session::take_message(std::string_view message, std::uint64_t& upto) {
  if (message.empty()) return false;
  const proxy::Kind kind{message.front()};
  message.remove_prefix(1);
  switch (kind) {
    case proxy::Kind::ready: return message.empty();
    case proxy::Kind::failed: proxy_problem_ = std::string(message.substr(0, 1000)); return true;
    case proxy::Kind::events: return take_events(message, upto);
    case proxy::Kind::secret_wanted: {
      std::uint32_t credential = 0;
      if (!proxy::take(message, credential) || !message.empty() || credential >= secrets_.size()) return false;
      give_secret(credential);
      return true;
    }
    default: return false;
  }
}

bool Session::take_events(std::string_view message, std::uint64_t& upto) {
  std::uint64_t first = 0;
  if (!proxy::take(message, first) || first != next_event_) return false;
  while (!message.empty()) {
    std::string_view type;
    std::string_view fields;
    if (!proxy::take_event(message, type, fields) || !recorder_.add_reported(type, fields)) return false;
    ++next_event_;
    upto = next_event_ - 1;
  }
  return true;
}

void Session::give_secret(std::uint32_t credential) {
  const auto& wanted = options_.policy.credentials[credential];
  // Recorded before it is given: who holds the secret is part of the record.
  recorder_.add("credential.used", {{"credential", wanted.name}, {"place", "header " + wanted.inject.header}});
  if (const auto written = recorder_.commit(); !written) {
    proxy_.refuse_secret(credential, "its use cannot be recorded");
    return;
  }
  proxy_.give_secret(credential, secrets_[credential].reveal());
}

void Session::on_proxy_exit() {
  uv_poll_stop(&proxy_poll_.poll);
  while (!channel_closed_) on_proxy_message();  // what it still said
  const std::string how = proxy_.wait();
  proxy_gone_ = true;
  if (finishing_) {
    ended_ = true;
    return;
  }
  const std::string reason = proxy_problem_.empty() ? how : proxy_problem_ + " (" + how + ")";
  recorder_.add("proxy.failed", {{"reason", reason}});
  (void)recorder_.commit();
  say("the proxy stopped: " + reason + "; the command goes on without any network");
}

void Session::on_sandbox_exit() {
  uv_poll_stop(&sandbox_poll_.poll);
  exit_ = sandbox_->wait();
  sandbox_.reset();
  finishing_ = true;
  if (proxy_gone_) {
    ended_ = true;
    return;
  }
  proxy_.finish();
  uv_timer_start(
      &finish_timer_,
      [](uv_timer_t* timer) {
        auto& self = *static_cast<Session*>(timer->data);
        self.proxy_.kill();
      },
      kFinishMs, 0);
}

}  // namespace weir::keeper
