// The keeper's end of a proxy: starts the process, gives it its configuration, and judges every message that comes back.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "netns/room.h"
#include "proxy/wire.h"

namespace weir::keeper {

class ProxyClient {
 public:
  // Starts the process: the program weir-proxy, with an empty environment and no descriptor but the
  // channel, in a session of its own (the terminal's signals do not reach it), and bound to die with the keeper.
  static Result<ProxyClient> start();
  ProxyClient(ProxyClient&&) noexcept = default;
  ProxyClient& operator=(ProxyClient&&) noexcept = default;
  ~ProxyClient();

  // Hands over the room's sockets and the configuration. The room keeps its namespaces only.
  Result<void> configure(const proxy::ProxyConfig& config, netns::Room& room);

  void recorded(std::uint64_t upto);
  void not_recorded(std::uint64_t upto);
  void give_secret(std::uint32_t generation, std::uint32_t credential, proxy::Purpose purpose, std::string_view value);
  void withdraw_secret(std::uint32_t generation, std::uint32_t credential);
  void refuse_secret(std::uint32_t generation, std::uint32_t credential, proxy::Purpose purpose, std::string_view why);
  void answer_tokens(std::uint64_t question, const Result<void>& kept);
  void answer_approval(std::uint64_t question, proxy::Verdict verdict, std::string_view text);
  void tell_owners(std::uint64_t question, const std::vector<std::string>& executables);
  Result<void> replace_policy(std::uint32_t generation, const proxy::PolicyBundle& bundle);
  void finish();
  void kill();

  int channel() const { return channel_.get(); }
  int pid_fd() const { return pid_fd_.get(); }
  pid_t pid() const { return pid_; }
  std::string wait();  // reaps it; how it ended, in words

 private:
  ProxyClient() = default;
  void send(std::string_view message);
  pid_t pid_ = 0;
  UniqueFd pid_fd_;
  UniqueFd channel_;
};

}  // namespace weir::keeper
