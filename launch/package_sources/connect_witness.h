// A proxy on the loopback that only notes which places it is asked to connect to, and refuses all of them. Resource.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

namespace weir::launch {

class ConnectWitness {
 public:
  static Result<std::unique_ptr<ConnectWitness>> start();
  ~ConnectWitness();
  ConnectWitness(const ConnectWitness&) = delete;
  ConnectWitness& operator=(const ConnectWitness&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::vector<std::string> finish();  // "host:port" of each CONNECT and each absolute target, in order, each once

 private:
  ConnectWitness() = default;
  void serve();
  void answer(int connection);

  UniqueFd listener_, stop_;
  std::uint16_t port_ = 0;
  std::vector<std::string> seen_;  // belongs to the thread until it has ended
  std::thread thread_;
};

// "host:port" from the first line of a request to a proxy, or empty. Pure.
std::string place_asked_for(std::string_view request_line);

}  // namespace weir::launch
