#include "proxy/gate/dns_service.h"

#include <sys/socket.h>

#include <array>

#include "netns/dns_socket.h"
#include "proxy/gate/deadlines.h"
#include "proxy/io/transport.h"

namespace weir::proxy {
namespace {

constexpr unsigned kMaxStreams = 32;  // TCP connections for DNS at once; more wait in the kernel's queue

void report(KeeperLink& keeper, const DnsOutcome& outcome, const HoldsCredential& holds_credential) {
  events::Fields fields;
  fields.text("name", holds_credential(outcome.name) ? "(it holds a credential)" : outcome.name).text("qtype", outcome.qtype).text("verdict", outcome.verdict);
  keeper.report("dns.query", fields);
}

io::Task<bool> read_exactly(io::Transport& transport, std::span<char> into, io::Deadline deadline) {
  while (!into.empty()) {
    std::size_t got = 0;
    const auto reading = co_await transport.read_some(into, deadline, got);
    if (reading != io::Outcome::ok) co_return false;
    into = into.subspan(got);
  }
  co_return true;
}

// One connection: messages behind a two-byte length (RFC 7766 §8), until the client closes or is silent.
io::Task<void> serve_stream(io::Loop& loop, KeeperLink& keeper, DnsResponder& responder, const HoldsCredential& holds_credential, UniqueFd socket, unsigned& open) {
  io::Transport transport(loop, std::move(socket));
  for (;;) {
    std::array<char, 2> prefix{};
    const bool has_prefix = co_await read_exactly(transport, prefix, loop.in(kDnsTcpMs));
    if (!has_prefix) break;
    const auto size = static_cast<std::size_t>(static_cast<unsigned char>(prefix[0]) << 8 | static_cast<unsigned char>(prefix[1]));
    std::string query(size, '\0');
    const bool complete = co_await read_exactly(transport, query, loop.in(kDnsTcpMs));
    if (!complete) break;
    if (keeper.backlogged()) break;
    const DnsOutcome outcome = responder.answer(query, false);
    report(keeper, outcome, holds_credential);
    if (outcome.reply.empty()) break;
    std::string reply;
    reply.push_back(static_cast<char>(outcome.reply.size() >> 8));
    reply.push_back(static_cast<char>(outcome.reply.size() & 0xFF));
    reply += outcome.reply;
    const auto written = co_await transport.write_all(reply, loop.in(kDnsTcpMs));
    if (written != io::Outcome::ok) break;
  }
  --open;
}

}  // namespace

io::Task<void> serve_dns_datagrams(io::Loop& loop, KeeperLink& keeper, DnsResponder& responder, const HoldsCredential& holds_credential, UniqueFd socket) {
  io::Descriptor watched(loop, std::move(socket));
  std::string buffer(4096, '\0');
  for (;;) {
    const auto woken = co_await watched.readable(io::kNever);
    if (woken != io::Wake::ready) co_return;
    for (int burst = 0; burst < 64; ++burst) {
      const auto datagram = netns::receive_datagram(watched.fd(), buffer);
      if (!datagram && datagram.error().code == "would_block") break;
      if (!datagram) continue;
      // SECURITY: G3, a question that cannot be recorded gets no answer.
      if (keeper.backlogged()) continue;
      const DnsOutcome outcome = responder.answer(datagram->bytes, true);
      report(keeper, outcome, holds_credential);
      if (!outcome.reply.empty()) (void)netns::reply_datagram(watched.fd(), outcome.reply, datagram->path);
    }
  }
}

io::Task<void> serve_dns_streams(io::Loop& loop, KeeperLink& keeper, DnsResponder& responder, const HoldsCredential& holds_credential, UniqueFd listener) {
  io::Descriptor watched(loop, std::move(listener));
  unsigned open = 0;
  for (;;) {
    const auto woken = co_await watched.readable(io::kNever);
    if (woken != io::Wake::ready) co_return;
    UniqueFd socket(accept4(watched.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket || open >= kMaxStreams) continue;
    ++open;
    io::spawn(serve_stream(loop, keeper, responder, holds_credential, std::move(socket), open));
  }
}

}  // namespace weir::proxy
