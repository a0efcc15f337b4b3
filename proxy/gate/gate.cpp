#include "proxy/gate/gate.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "proxy/gate/connection.h"
#include "proxy/gate/secret_mask.h"

namespace weir::proxy {

Gate::Gate(io::Loop& for_loop, KeeperLink& for_keeper, PolicyHandle first_policy, SyntheticAddresses& for_addresses, DownstreamTls& for_downstream)
    : loop(for_loop), keeper(for_keeper), in_force(std::move(first_policy)), addresses(for_addresses), downstream_tls(for_downstream),
      drained(for_loop) {}

void Gate::replace_policy(PolicyHandle next) {
  in_force = std::move(next);
  ask_streams_again("the policy was changed and no longer allows it");
}

void Gate::ask_streams_again(std::string_view why) {
  const PolicyHandle now = in_force;
  const std::list<OpenStream*> open = streams;  // cutting one may end it and so change the list
  for (OpenStream* stream : open) {
    if (std::find(streams.begin(), streams.end(), stream) == streams.end()) continue;
    if (!stream->may_go_on(*now)) stream->cut(why);
  }
}

void Gate::cut_streams(std::string_view why) {
  const std::list<OpenStream*> open = streams;
  for (OpenStream* stream : open)
    if (std::find(streams.begin(), streams.end(), stream) != streams.end()) stream->cut(why);
}

std::string Gate::recordable(std::string_view text) const {
  SecretMask mask;
  mask.look_for(in_force->credentials.needles());
  return mask.masked(text);
}

io::Task<void> accept_connections(Gate& gate, UniqueFd listener) {
  io::Descriptor watched(gate.loop, std::move(listener));
  for (;;) {
    const auto woken = co_await watched.readable(io::kNever);
    if (woken != io::Wake::ready) co_return;
    const std::uint32_t limit = gate.in_force->limits().connections;
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
