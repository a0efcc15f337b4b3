// Tunnels: connections whose octets are carried as they come, for as long as the policy lets them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "policy/policy.h"
#include "proxy/gate/gate.h"
#include "proxy/io/transport.h"

namespace weir::proxy {

// One open tunnel in the gate's list of streams, for as long as it lives.
class OpenTunnel final : public OpenStream {
 public:
  // `decide` gives a policy's verdict on it. `approved`: somebody granted it, so a policy that would ask lets it go on.
  OpenTunnel(Gate& gate, std::function<policy::Decision(const PolicyInUse&)> decide, bool approved)
      : decide_(std::move(decide)), approved_(approved), place_(gate, *this) {}

  bool may_go_on(const PolicyInUse& policy) override;
  void cut(std::string_view why) override;
  // What ends the tunnel; it may destroy this object. Called at once when the cut has come already.
  void on_cut(std::function<void()> end);
  // A sentence; empty: it was not cut.
  const std::string& cut_because() const { return why_; }

 private:
  std::function<policy::Decision(const PolicyInUse&)> decide_;
  bool approved_;
  std::function<void()> end_;
  std::string why_;
  StreamPlace place_;
};

struct TunnelEnd {
  std::uint64_t bytes_out = 0;  // client to upstream
  std::uint64_t bytes_in = 0;
  // "complete": both sides ended it in good order, or the client closed it. "client_gone", "upstream_reset": a side broke off. "idle". "cut": see OpenTunnel::cut_because().
  std::string_view end = "complete";
};

// How long a tunnel may be silent, in milliseconds: people leave shells and database clients open over lunch.
inline constexpr std::uint64_t kTunnelIdleMs = 2 * 60 * 60 * 1000;

// Carries octets both ways until both sides have ended, one has broken off, or the tunnel is cut. No more than 64 KiB of each direction are
// held. The end of one direction is passed on (shutdown(2)) while the other goes on; where a side breaks off or the tunnel is cut, both see a
// reset, so that what was cut short never looks whole. Both transports are plain; `first_out` and `first_in`, octets already read from client and
// upstream, go before all else. All outlive the call.
io::Task<TunnelEnd> carry(io::Loop& loop, io::Transport& client, std::string_view first_out, io::Transport& upstream, std::string_view first_in, OpenTunnel& tunnel);

// Closes with a reset: the peer sees that the connection was refused or broken off, not that it ended.
void reset(io::Transport& transport);

}  // namespace weir::proxy
