#include "keeper/session.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <utility>

#include "base/file.h"
#include "base/message_channel.h"
#include "base/time.h"
#include "keeper/control_socket.h"

namespace weir::keeper {
namespace {

constexpr std::uint64_t kFinishMs = 2'000;  // for the proxy to report what was open
constexpr int kStopAttempts = 250;          // of 2 ms, for the command to stop after SIGTSTP
constexpr std::uint64_t kClockMs = 250;     // how exactly an approval's end is kept
constexpr std::uint32_t kFirstGeneration = 1;  // the policy that the configuration brought (proxy/wire.h)
constexpr int kBurst = 64;                  // messages taken from the proxy before they are written together

}  // namespace

void say(const std::string& message) { std::fprintf(stderr, "weir: %s\n", message.c_str()); }

Session::Session(RunOptions& options, std::string id, EventRecorder& recorder, ProxyClient& proxy, PreparedPolicy policy, Placeholders placeholders, Signals& signals)
    : options_(options),
      id_(std::move(id)),
      recorder_(recorder),
      proxy_(proxy),
      placeholders_(std::move(placeholders)),
      signals_(signals),
      approvals_({options.approvals_directory, options.sandbox.working_directory, id_, options.asking == Asking::deny}, approval_ports()),
      leases_(&loop_, lease_ports()) {
  uv_timer_init(&loop_, &finish_timer_);
  uv_timer_init(&loop_, &clock_);
  finish_timer_.data = clock_.data = this;
  auto& first = policies_.emplace(kFirstGeneration, std::move(policy)).first->second;
  leases_.take(kFirstGeneration, first.loaded.document.credentials, std::move(first.secrets));
  approvals_.use_policy(kFirstGeneration, first.loaded.document, first.loaded.text_hash);
  open_control_socket();
}

Session::~Session() { close_control_socket(); }

launch::ExitStatus Session::run(launch::Sandbox sandbox) {
  sandbox_ = std::make_unique<launch::Sandbox>(std::move(sandbox));
  watch(channel_poll_, proxy_.channel(), [](Session& self) { self.on_proxy_message(); });
  watch(proxy_poll_, proxy_.pid_fd(), [](Session& self) { self.on_proxy_exit(); });
  watch(sandbox_poll_, sandbox_->pid_fd(), [](Session& self) { self.on_sandbox_exit(); });
  watch(signal_poll_, signals_.fd(), [](Session& self) { self.on_signal(); });
  watch_policy_ = std::make_unique<PolicyWatch>(&loop_, options_.policy_source.file, [this] {
    if (!finishing_) (void)reload_policy("a change of the file", true);
  });
  recorder_.sync_in_background(&loop_);
  ask_on_the_terminal();
  watch_the_clock();  // an earlier keeper may have left something
  while (!ended_) uv_run(&loop_, UV_RUN_ONCE);
  close_control_socket();
  leases_.finish();
  return exit_;
}

CredentialLeases::Ports Session::lease_ports() {
  return {[this](std::uint32_t generation, std::uint32_t credential) {
            if (!proxy_gone_) proxy_.withdraw_secret(generation, credential);
          },
          [this](std::string_view type, const nlohmann::ordered_json& data) {
            acknowledge();
            recorder_.add(type, data);
            if (auto written = recorder_.commit(); !written) say("what became of a credential could not be recorded: " + written.error().message);
          }};
}

Approvals::Ports Session::approval_ports() {
  return {[this](std::string_view type, const nlohmann::ordered_json& data) {
            acknowledge();  // what the proxy reported before stands before it, and is answered by its own commit
            recorder_.add(type, data);
            return recorder_.commit();
          },
          [this](std::uint64_t question, proxy::Verdict verdict, std::string_view text) {
            if (!proxy_gone_) proxy_.answer_approval(question, verdict, text);
          },
          wall_clock_us, say};
}

// Without it the sandbox runs all the same: the terminal still decides, and what nobody decides is denied in time.
void Session::open_control_socket() {
  api_ = {&approvals_, id_, options_.sandbox.sandbox_id, options_.sandbox.working_directory, options_.sandbox.command, wall_clock_us(),
          [this] { return in_force().loaded.text_hash; }, {}};
  api_.reload = [this](const Peer& by) { return reload_policy(by.description, false); };
  auto folder = open_socket_folder(options_.runtime_directory);
  auto listener = folder ? listen_for_control(*folder, id_) : Result<UniqueFd>(std::unexpect, folder.error());
  if (!listener) {
    say("`weir approve` cannot reach this session: " + listener.error().message);
    return;
  }
  (void)reachable_sessions(*folder);  // takes away what dead keepers left
  control_folder_ = std::move(*folder);
  control_ = std::make_unique<ControlServer>(
      &loop_, std::move(*listener), [this](int connection) { return accept_peer(connection, proxy_.pid()); },
      [this](const ControlRequest& request) { return api_.handle(request); });
}

void Session::close_control_socket() {
  if (control_ == nullptr) return;
  remove_control_socket(control_folder_, id_);
  control_.reset();
}

void Session::ask_on_the_terminal() {
  if (options_.asking == Asking::prompt && ApprovalPrompt::is_possible())
    prompt_ = std::make_unique<ApprovalPrompt>(&loop_, approvals_, [this] {
      const pid_t command = sandbox_ == nullptr ? 0 : sandbox_->command_pid();
      return command == 0 ? 0 : parent_of(command);  // process 1 inside: everything there is below it
    });
  if (prompt_ != nullptr)
    prompt_->on_hang_up = [this] {
      if (sandbox_ != nullptr) sandbox_->send_signal(SIGHUP);
    };
  approvals_.on_new = [this] {
    watch_the_clock();
    if (prompt_ != nullptr) prompt_->on_new();
  };
  approvals_.on_gone = [this](const Pending& pending, std::string_view how) {
    if (prompt_ != nullptr) prompt_->on_gone(pending, how);
  };
}

// Ticks while something waits: the wall clock, which approvals go by, may be set.
void Session::watch_the_clock() {
  if (uv_is_active(reinterpret_cast<uv_handle_t*>(&clock_)) != 0 || !approvals_.next_deadline()) return;
  uv_timer_start(
      &clock_,
      [](uv_timer_t* timer) {
        auto& self = *static_cast<Session*>(timer->data);
        self.approvals_.pass_time();
        if (!self.approvals_.next_deadline()) uv_timer_stop(timer);
      },
      kClockMs, kClockMs);
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
    if (received.by_process && received.signal == SIGHUP) {
      (void)reload_policy("SIGHUP", false);
      continue;
    }
    if (prompt_ != nullptr) prompt_->put_away();  // the command stands still while it is asked about
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
    sound = take_message(message->bytes);
    wipe(message->bytes.data(), message->bytes.size());  // SECURITY: G2, tokens that were caught are in such a message
  }
  acknowledge();
  if (!sound) {
    proxy_problem_ = "it sent a message that no proxy sends";
    proxy_.kill();
  }
}

// Writes what the proxy has reported and tells it so. SECURITY: G3, nothing else may be committed while its events are staged: were
// that commit to fail, they would be lost, and a later one would acknowledge them.
void Session::acknowledge() {
  const std::uint64_t upto = std::exchange(staged_upto_, 0);
  if (upto == 0) return;
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

bool Session::take_message(std::string_view message) {
  if (message.empty()) return false;
  const proxy::Kind kind{message.front()};
  message.remove_prefix(1);
  switch (kind) {
    case proxy::Kind::ready: return message.empty();
    case proxy::Kind::failed: proxy_problem_ = std::string(message.substr(0, 1000)); return true;
    case proxy::Kind::events: return take_events(message);
    case proxy::Kind::secret_wanted: {
      std::uint32_t generation = 0;
      std::uint32_t credential = 0;
      std::uint8_t purpose = 0;
      if (!proxy::take(message, generation) || !proxy::take(message, credential) || !proxy::take(message, purpose) || !message.empty() || purpose > 1)
        return false;
      const auto policy = policies_.find(generation);
      if (policy == policies_.end() || !leases_.has(generation, credential)) return false;
      give_secret(generation, credential, proxy::Purpose{purpose});
      return true;
    }
    case proxy::Kind::tokens_caught: return take_tokens(message);
    case proxy::Kind::owners_wanted: {
      std::uint64_t question = 0;
      proxy::Endpoints connection{};
      if (!proxy::take(message, question) || !proxy::take(message, connection) || !message.empty()) return false;
      tell_owners(question, connection);
      return true;
    }
    case proxy::Kind::policy_in_force: return take_policy_answer(message, true);
    case proxy::Kind::policy_unusable: return take_policy_answer(message, false);
    case proxy::Kind::policy_released: {
      std::uint32_t generation = 0;
      if (!proxy::take(message, generation) || !message.empty() || generation == generation_ || policies_.erase(generation) == 0) return false;
      approvals_.release_policy(generation);
      leases_.release(generation);
      return true;
    }
    case proxy::Kind::approval_wanted: return approvals_.take_question(message);
    case proxy::Kind::approval_withdrawn: return approvals_.take_withdrawal(message);
    default: return false;
  }
}

bool Session::take_events(std::string_view message) {
  std::uint64_t first = 0;
  if (!proxy::take(message, first) || first != next_event_) return false;
  while (!message.empty()) {
    std::string_view type;
    std::string_view fields;
    if (!proxy::take_event(message, type, fields) || !recorder_.add_reported(type, fields)) return false;
    staged_upto_ = next_event_++;
  }
  return true;
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
  if (prompt_ != nullptr) prompt_->stop();  // before the terminal is given back
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
