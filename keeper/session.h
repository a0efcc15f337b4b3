// A session while its command runs: a libuv loop over the proxy's channel, both processes and the signals.
#pragma once

#include <uv.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "keeper/approvals.h"
#include "keeper/approvals_prompt.h"
#include "keeper/control_api.h"
#include "keeper/control_server.h"
#include "keeper/credential_leases.h"
#include "keeper/event_recorder.h"
#include "keeper/placeholders.h"
#include "keeper/policy_watch.h"
#include "keeper/prepared_policy.h"
#include "keeper/proxy_client.h"
#include "keeper/run_session.h"
#include "keeper/signals.h"
#include "launch/sandbox.h"

namespace weir::keeper {

// "weir: MESSAGE" on standard error.
void say(const std::string& message);

class Session {
 public:
  // References outlive the session. `id`: the session's. `policy`: the one that the proxy was started with.
  Session(RunOptions& options, std::string id, EventRecorder& recorder, ProxyClient& proxy, PreparedPolicy policy,
          Placeholders placeholders, Signals& signals);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  // Until the command has ended and the proxy has reported what was open.
  launch::ExitStatus run(launch::Sandbox sandbox);

 private:
  struct Watch {
    uv_poll_t poll{};
    Session* session = nullptr;
    void (*callback)(Session&) = nullptr;
  };

  void watch(Watch& watch, int fd, void (*callback)(Session&));
  void on_signal();
  bool command_has_stopped();
  void on_proxy_message();
  bool take_message(std::string_view message);
  bool take_events(std::string_view message);
  void acknowledge();
  void give_secret(std::uint32_t generation, std::uint32_t credential, proxy::Purpose purpose);
  bool take_tokens(std::string_view message);
  Result<void> keep_token(std::uint32_t generation, std::uint32_t credential, std::string_view token);
  void tell_owners(std::uint64_t question, const proxy::Endpoints& connection);

  // Loads the policy anew and waits until the proxy decides by it; gives its hash. All or nothing: an error leaves the old one in
  // force, and is recorded. `by`: who asked for it, for the record.
  Result<std::string> reload_policy(const std::string& by, bool only_if_changed);
  Result<std::string> hand_over(PreparedPolicy next, const std::string& by);
  void note_policy_in_force(std::uint32_t generation);
  bool take_policy_answer(std::string_view message, bool usable);
  const PreparedPolicy& in_force() const { return policies_.at(generation_); }
  void on_proxy_exit();
  void on_sandbox_exit();
  Approvals::Ports approval_ports();
  CredentialLeases::Ports lease_ports();
  void open_control_socket();
  void close_control_socket();
  void ask_on_the_terminal();
  void watch_the_clock();

  RunOptions& options_;
  std::string id_;
  EventRecorder& recorder_;
  ProxyClient& proxy_;
  Placeholders placeholders_;
  std::map<std::uint32_t, PreparedPolicy> policies_;  // by generation: in force, or with requests under it
  std::uint32_t generation_ = 1;                      // in force
  std::uint32_t last_generation_ = 1;                 // ever sent
  std::optional<Result<void>> policy_answer_;         // the proxy's, about last_generation_
  std::string policy_changed_by_;
  std::unique_ptr<PolicyWatch> watch_policy_;
  Signals& signals_;
  struct Loop : uv_loop_t {
    Loop() : uv_loop_t{} { uv_loop_init(this); }
  } loop_;
  uv_timer_t finish_timer_{};
  uv_timer_t clock_{};  // for approvals that nobody decides
  Approvals approvals_;
  std::unique_ptr<ApprovalPrompt> prompt_;  // null: nobody to ask here
  CredentialLeases leases_;
  ControlApi api_;
  UniqueFd control_folder_;
  std::unique_ptr<ControlServer> control_;
  Watch channel_poll_, proxy_poll_, sandbox_poll_, signal_poll_;
  std::unique_ptr<launch::Sandbox> sandbox_;
  launch::ExitStatus exit_;
  std::uint64_t next_event_ = 1;
  std::uint64_t staged_upto_ = 0;  // the last of the proxy's events that is staged and not acknowledged; 0: none
  std::string proxy_problem_;
  bool store_failing_ = false;
  bool channel_closed_ = false;
  bool proxy_gone_ = false;
  bool finishing_ = false;
  bool ended_ = false;
};

}  // namespace weir::keeper
