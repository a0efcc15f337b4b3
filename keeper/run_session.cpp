#include "keeper/run_session.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <uv.h>

#include <csignal>
#include <cstdio>
#include <map>
#include <memory>
#include <vector>

#include "base/file.h"
#include "base/ids.h"
#include "base/message_channel.h"
#include "keeper/event_recorder.h"
#include "keeper/proxy_client.h"
#include "keeper/signals.h"
#include "netns/room.h"
#include "proxy/tls/certificate_authority.h"
#include "vault/vault.h"

namespace weir::keeper {
namespace {

constexpr std::uint64_t kFinishMs = 2'000;  // for the proxy to report what was open
constexpr int kStopAttempts = 250;          // of 2 ms, for the command to stop after SIGTSTP
constexpr int kBurst = 64;                  // messages taken from the proxy before they are written together

std::string user_name() {
  const passwd* entry = getpwuid(getuid());
  return entry != nullptr ? entry->pw_name : "uid " + std::to_string(getuid());
}

std::string host_name() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  return name;
}

void say(const std::string& message) { std::fprintf(stderr, "weir: %s\n", message.c_str()); }

// The session while the command runs: a libuv loop over the proxy's channel, both processes and the signals.
class Session {
 public:
  Session(RunOptions& options, EventRecorder& recorder, ProxyClient& proxy, std::vector<Secret>& secrets, Signals& signals)
      : options_(options), recorder_(recorder), proxy_(proxy), secrets_(secrets), signals_(signals) {
    uv_loop_init(&loop_);
    uv_timer_init(&loop_, &finish_timer_);
    finish_timer_.data = this;
  }

  launch::ExitStatus run(launch::Sandbox sandbox) {
    sandbox_ = std::make_unique<launch::Sandbox>(std::move(sandbox));
    watch(channel_poll_, proxy_.channel(), [](Session& self) { self.on_proxy_message(); });
    watch(proxy_poll_, proxy_.pid_fd(), [](Session& self) { self.on_proxy_exit(); });
    watch(sandbox_poll_, sandbox_->pid_fd(), [](Session& self) { self.on_sandbox_exit(); });
    watch(signal_poll_, signals_.fd(), [](Session& self) { self.on_signal(); });
    recorder_.sync_in_background(&loop_);
    while (!ended_) uv_run(&loop_, UV_RUN_ONCE);
    return exit_;
  }

 private:
  struct Watch {
    uv_poll_t poll{};
    Session* session = nullptr;
    void (*callback)(Session&) = nullptr;
  };

  void watch(Watch& watch, int fd, void (*callback)(Session&)) {
    watch.session = this;
    watch.callback = callback;
    uv_poll_init(&loop_, &watch.poll, fd);
    watch.poll.data = &watch;
    uv_poll_start(&watch.poll, UV_READABLE, [](uv_poll_t* poll, int, int) {
      auto& happened = *static_cast<Watch*>(poll->data);
      happened.callback(*happened.session);
    });
  }

  void on_signal() {
    for (auto received = signals_.next(); received.signal != 0; received = signals_.next()) {
      if (sandbox_ == nullptr) continue;
      if (received.by_process) sandbox_->send_signal(received.signal);
      if (received.signal == SIGTSTP && command_has_stopped()) Signals::stop_like_the_job();
    }
  }

  // Job control: the terminal (or the command itself) stopped the whole process group. The shell looks at weir alone, so weir
  // stops last; if it stopped first, the command could still take a key that was meant for the shell. A command that
  // does not stop keeps weir going too, as it would keep its job going without weir.
  bool command_has_stopped() {
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
  void on_proxy_message() {
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

  bool take_message(std::string_view message, std::uint64_t& upto) {
    if (message.empty()) return false;
    const proxy::Kind kind{message.front()};
    message.remove_prefix(1);
    switch (kind) {
      case proxy::Kind::ready: return message.empty();
      case proxy::Kind::failed: proxy_problem_ = std::string(message.substr(0, 1000)); return true;
      case proxy::Kind::events: {
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
      case proxy::Kind::secret_wanted: {
        std::uint32_t credential = 0;
        if (!proxy::take(message, credential) || !message.empty() || credential >= secrets_.size()) return false;
        give_secret(credential);
        return true;
      }
      default: return false;
    }
  }

  void give_secret(std::uint32_t credential) {
    const auto& wanted = options_.policy.credentials[credential];
    // Recorded before it is given: who holds the secret is part of the record.
    recorder_.add("credential.used", {{"credential", wanted.name}, {"place", "header " + wanted.inject.header}});
    if (const auto written = recorder_.commit(); !written) {
      proxy_.refuse_secret(credential, "its use cannot be recorded");
      return;
    }
    proxy_.give_secret(credential, secrets_[credential].reveal());
  }

  void on_proxy_exit() {
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

  void on_sandbox_exit() {
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

  RunOptions& options_;
  EventRecorder& recorder_;
  ProxyClient& proxy_;
  std::vector<Secret>& secrets_;
  Signals& signals_;
  uv_loop_t loop_{};
  uv_timer_t finish_timer_{};
  Watch channel_poll_, proxy_poll_, sandbox_poll_, signal_poll_;
  std::unique_ptr<launch::Sandbox> sandbox_;
  launch::ExitStatus exit_;
  std::uint64_t next_event_ = 1;
  std::string proxy_problem_;
  bool store_failing_ = false;
  bool channel_closed_ = false;
  bool proxy_gone_ = false;
  bool finishing_ = false;
  bool ended_ = false;
};

bool holds_certificate(const std::string& pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  X509_free(certificate);
  ERR_clear_error();
  return certificate != nullptr;
}

Result<std::vector<Secret>> fetch_secrets(const policy::Document& policy, vault::Vault& vault) {
  std::vector<Secret> secrets;
  for (const auto& credential : policy.credentials) {
    if (credential.from.starts_with("store:"))
      if (auto unlocked = vault.unlock(); !unlocked) return std::unexpected(unlocked.error());
    auto secret = vault.fetch(credential.from);
    if (!secret) return fail(secret.error().code, "credential `" + credential.name + "`: " + secret.error().message);
    secrets.push_back(std::move(*secret));
  }
  return secrets;
}

}  // namespace

Result<launch::ExitStatus> run_session(RunOptions options, std::string& session_id) {
  // Everything that can be wrong is found before anything is started.
  if (auto checked = launch::check_spec(options.sandbox); !checked) return std::unexpected(checked.error());
  auto secrets = fetch_secrets(options.policy, options.vault);
  if (!secrets) return std::unexpected(secrets.error());
  proxy::ProxyConfig config;
  if (!options.policy.upstream.ca_file.empty()) {
    auto pem = read_file(options.policy.upstream.ca_file);
    if (!pem) return fail(pem.error().code, options.policy.file + ": upstream.ca_file: " + pem.error().message);
    if (!holds_certificate(*pem))
      return fail("ca_file_invalid", options.policy.file + ": upstream.ca_file: " + options.policy.upstream.ca_file + " holds no certificate in PEM form");
    config.upstream_ca_pem = std::move(*pem);
  }
  config.hosts_file = read_file("/etc/hosts").value_or("");
  config.policy_document = policy::encode(options.policy);

  auto signals = Signals::catch_all();
  if (!signals) return std::unexpected(signals.error());
  auto proxy = ProxyClient::start();  // first, so that it loads while the room is made
  if (!proxy) return std::unexpected(proxy.error());
  auto room = netns::make_room();
  if (!room) return std::unexpected(room.error());

  config.sandbox_id = make_id("sbx");
  options.sandbox.sandbox_id = config.sandbox_id;
  auto authority = proxy::CertificateAuthority::create(config.sandbox_id);
  if (!authority) return std::unexpected(authority.error());
  config.ca_certificate_pem = authority->certificate_pem;
  config.ca_key_der = std::move(authority->key_der);
  options.sandbox.ca_certificate_pem = config.ca_certificate_pem;

  const std::string session = make_id("ses");
  if (auto made = make_directories(options.sessions_directory, 0700); !made) return std::unexpected(made.error());
  auto log = events::SessionLog::create(options.sessions_directory, session);
  if (!log) return std::unexpected(log.error());
  EventRecorder recorder(std::move(*log), config.sandbox_id, options.durability);
  recorder.add("session.started", {{"who", user_name()}, {"host", host_name()}, {"version", WEIR_VERSION}, {"policy_hash", options.policy_text_hash}});
  recorder.add("policy.loaded", {{"hash", options.policy_text_hash}, {"file", options.policy.file}, {"use", options.policy.use}});
  recorder.add("sandbox.started", {{"kind", "process"}, {"command", options.sandbox.command}, {"directory", options.sandbox.working_directory}});
  if (auto written = recorder.commit(); !written) return std::unexpected(written.error());
  session_id = session;

  if (auto configured = proxy->configure(config, *room); !configured) return std::unexpected(configured.error());
  auto sandbox = launch::start_sandbox(options.sandbox, room->user_namespace.get(), room->network_namespace.get());
  if (!sandbox) return std::unexpected(sandbox.error());
  room->user_namespace.reset();
  room->network_namespace.reset();
  // From here on no other process of this user may read the keeper's memory. Not earlier: the room's child could not
  // write its own uid map then (proc(5), /proc/PID/uid_map).
  prctl(PR_SET_DUMPABLE, 0);

  launch::ExitStatus exit;
  {
    Session running(options, recorder, *proxy, *secrets, *signals);
    exit = running.run(std::move(*sandbox));
    nlohmann::ordered_json how;
    if (exit.signaled) {
      how["signal"] = exit.code;
    } else {
      how["status"] = exit.code;
    }
    if (!exit.problem.empty()) how["problem"] = exit.problem;
    recorder.add("sandbox.exited", how);
    recorder.add("session.ended", {{"events", recorder.log().last_seq() + 1}});
    if (auto finished = recorder.finish(); !finished) say("the end of the session could not be recorded: " + finished.error().message);
  }
  if (!exit.problem.empty()) say(exit.problem);
  return exit;
}

}  // namespace weir::keeper
