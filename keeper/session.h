// A session while its command runs: a libuv loop over the proxy's channel, both processes and the signals.
#pragma once

#include <uv.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "keeper/event_recorder.h"
#include "keeper/proxy_client.h"
#include "keeper/run_session.h"
#include "keeper/signals.h"
#include "launch/sandbox.h"

namespace weir::keeper {

// "weir: MESSAGE" on standard error.
void say(const std::string& message);

class Session {
 public:
  // All outlive the session. `secrets`: one for each of the policy's credentials, in their order.
  Session(RunOptions& options, EventRecorder& recorder, ProxyClient& proxy, std::vector<Secret>& secrets, Signals& signals);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

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
  bool take_message(std::string_view message, std::uint64_t& upto);
  bool take_events(std::string_view message, std::uint64_t& upto);
  void give_secret(std::uint32_t credential);
  void on_proxy_exit();
  void on_sandbox_exit();

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

}  // namespace weir::keeper
