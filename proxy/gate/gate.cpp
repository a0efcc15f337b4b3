#include "proxy/gate/gate.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "proxy/gate/connection.h"

namespace weir::proxy {

bool RateLimit::take(io::Deadline now_ms) {
  if (per_minute_ == 0) return true;
  if (last_ms_ != 0) tokens_ = std::min(per_minute_, tokens_ + static_cast<double>(now_ms - last_ms_) * per_minute_ / 60'000.0);
  last_ms_ = now_ms;
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

Gate::Gate(io::Loop& for_loop, KeeperLink& for_keeper, const policy::Policy& for_policy, SyntheticAddresses& for_addresses,
           DownstreamTls& for_downstream, UpstreamPool& for_pool)
    : loop(for_loop), keeper(for_keeper), policy(for_policy), addresses(for_addresses), downstream_tls(for_downstream),
      pool(for_pool), rate(for_policy.document().limits.requests_per_minute), drained(for_loop) {}

bool Gate::names_address(std::string_view literal) const {
  for (const auto& rule : policy.document().rules)
    for (const auto& host : rule.hosts)
      if (host.kind == policy::HostPattern::Kind::exact && host.name == literal && rule.action != policy::Action::deny) return true;
  return false;
}

io::Task<void> accept_connections(Gate& gate, UniqueFd listener) {
  io::Descriptor watched(gate.loop, std::move(listener));
  const std::uint32_t limit = gate.policy.document().limits.connections;
  for (;;) {
    const auto woken = co_await watched.readable(io::kNever);
    if (woken != io::Wake::ready) co_return;
    for (int burst = 0; burst < 64; ++burst) {
      if (gate.open_connections >= limit) {
        // A kept-alive connection that does nothing makes room; otherwise the new one waits in the kernel's queue.
        if (gate.idle.empty()) break;
        gate.idle.front()->close_idle();
      }
      UniqueFd socket(accept4(watched.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!socket) break;
      const int on = 1;
      setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      io::spawn(serve_connection(gate, std::move(socket)));
    }
    if (gate.open_connections >= limit && gate.idle.empty()) {
      // Level-triggered: do not spin while every place is taken.
      io::Event pause(gate.loop);
      co_await pause.wait(gate.loop.in(50));
    }
  }
}

}  // namespace weir::proxy
