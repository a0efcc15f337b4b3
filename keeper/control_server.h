// HTTP/1.1 with JSON over a session's Unix socket, in the keeper's loop. Small on purpose: one request at a time on a connection,
// bounded sizes, deadlines, and never a blocking call, so that no client can hold up the sandbox.
#pragma once

#include <uv.h>

#include <functional>
#include <list>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "base/unique_fd.h"
#include "keeper/control_socket.h"

namespace weir::keeper {

struct ControlRequest {
  std::string method;
  std::string path;  // without the query
  std::string body;
  Peer peer;
};

struct ControlReply {
  int status = 200;
  nlohmann::ordered_json body;
};

// {"error":{"code","message"}}
ControlReply control_error(int status, const std::string& code, const std::string& message);

class ControlServer {
 public:
  static constexpr std::size_t kMaxConnections = 16;
  static constexpr std::size_t kMaxHead = 8 * 1024;
  static constexpr std::size_t kMaxBody = 16 * 1024;

  using Handler = std::function<ControlReply(const ControlRequest&)>;
  using PeerCheck = std::function<Result<Peer>(int connection)>;

  // `listener`: listening, not blocking. `deadline_ms`: for a whole request to come, and for its answer to be taken.
  ControlServer(uv_loop_t* loop, UniqueFd listener, PeerCheck check, Handler handler, std::uint64_t deadline_ms = 10'000);
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;
  ~ControlServer();  // runs the loop until its handles are closed

  std::size_t connections() const { return connections_.size(); }

 private:
  class Connection;
  void on_connection();
  void remove(Connection* connection);

  uv_loop_t* loop_;
  PeerCheck check_;
  Handler handler_;
  std::uint64_t deadline_ms_;
  UniqueFd listener_;
  uv_poll_t poll_{};
  std::list<std::unique_ptr<Connection>> connections_;  // open ones, and those that are being closed
  bool listening_ = true;
};

}  // namespace weir::keeper
