#include "proxy/gate/connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <exception>

#include "netns/room.h"
#include "proxy/gate/admission.h"
#include "proxy/gate/deadlines.h"
#include "proxy/gate/exchange.h"
#include "proxy/gate/hold.h"
#include "proxy/gate/raw_connection.h"

namespace weir::proxy {

namespace {

void put_mapped(const sockaddr_storage& address, std::uint8_t (&out)[16], std::uint16_t& port) {
  if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    std::memcpy(out, &v6.sin6_addr, 16);
    port = ntohs(v6.sin6_port);
    return;
  }
  const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
  out[10] = out[11] = 0xff;
  std::memcpy(out + 12, &v4.sin_addr, 4);
  port = ntohs(v4.sin_port);
}

// As the client's kernel names them: its own end, and the address that it dialled.
std::optional<Endpoints> connection_ends(int socket) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  const auto original = netns::original_destination(socket);
  if (!original || getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return std::nullopt;
  Endpoints ends{};
  put_mapped(peer, ends.source, ends.source_port);
  put_mapped(*original, ends.destination, ends.destination_port);
  return ends;
}

}  // namespace

// Owns the connection for its whole life. `gate` outlives it.
io::Task<void> serve_connection(Gate& gate, UniqueFd socket) {
  Connection connection(gate, std::move(socket));
  ++gate.open_connections;
  bool failed = false;
  try {
    co_await connection.serve();
  } catch (const std::exception& error) {
    failed = true;
    events::Fields fields;
    fields.text("host", connection.host).text("code", "internal_error").text("reason", error.what());
    gate.keeper.report("egress.denied", fields);
  }
  if (failed) connection.transport.descriptor().close();
  connection.transport.close();
  if (--gate.open_connections == 0 && gate.finishing) gate.drained.fire();
}

void Connection::deny_connection(std::string_view code, std::string_view reason) {
  events::Fields fields;
  fields.text("scheme", tls ? "https" : "tcp").text("host", host).text("address", dialled).number("port", port);
  fields.text("verdict", "deny").text("code", code).text("reason", reason);
  gate_.keeper.report("egress.denied", fields);
}

// Which name the dialled address stands for. SECURITY: G1, the address alone decides; what the client says later must agree.
bool Connection::find_destination() {
  const auto original = netns::original_destination(transport.descriptor().fd());
  if (!original) return false;
  dialled = format_address(*original, false);
  std::optional<std::string_view> name;
  bool synthetic = false;
  if (original->ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(*original);
    port = ntohs(v6.sin6_port);
    name = gate_.addresses.name_of(v6.sin6_addr);
    synthetic = gate_.addresses.in_range(v6.sin6_addr);
  } else {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(*original);
    port = ntohs(v4.sin_port);
    name = gate_.addresses.name_of(v4.sin_addr);
    synthetic = gate_.addresses.in_range(v4.sin_addr);
  }
  if (name) {
    host = *name;
    return true;
  }
  host = dialled;
  literal = true;
  if (synthetic) {
    deny_connection("unknown_address", "the address " + dialled + " stands for no name here");
    return false;
  }
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  if (getsockname(transport.descriptor().fd(), reinterpret_cast<sockaddr*>(&own), &size) == 0 &&
      format_address(own, true) == format_address(*original, true)) {
    deny_connection("listener_dialled", "weir's own listener was dialled directly");
    return false;
  }
  return true;
}

io::Task<bool> Connection::start() {
  if (!find_destination()) co_return false;
  if (gate_.in_force->policy.treatment_of(host, port) == policy::Treatment::tcp) {
    co_await carry_tcp(gate_, *this);
    co_return false;
  }
  Opening opening = co_await first_octets(gate_, *this, gate_.loop.in(kSilentMs));
  while (opening == Opening::silent) {
    const bool over = co_await serve_silent(gate_, *this);
    if (over) co_return false;
    opening = co_await first_octets(gate_, *this, gate_.loop.in(kFirstByteMs));
  }
  if (opening == Opening::closed) co_return false;
  if (opening == Opening::other) {
    co_await carry_tcp(gate_, *this);
    co_return false;
  }
  if (opening == Opening::tls) {
    if (gate_.in_force->policy.treatment_of(host, port) == policy::Treatment::passthrough) {
      co_await carry_passthrough(gate_, *this);
      co_return false;
    }
    tls = true;
    transport.start_tls(gate_.downstream_tls.accept_for(host));
    const io::Outcome done = co_await transport.handshake(gate_.loop.in(kHandshakeMs));
    if (done != io::Outcome::ok) {
      deny_connection("tls_handshake", done == io::Outcome::timeout ? "the TLS handshake took too long"
                                                                    : "the client broke off the TLS handshake: " + transport.ssl_error());
      co_return false;
    }
    server_name = DownstreamTls::server_name(transport.ssl());
    co_return true;
  }
  co_return true;
}

io::Task<bool> Connection::read_head() {
  static constexpr HeadLimits kLimits{};
  std::size_t scanned = 0;
  io::Deadline deadline = gate_.loop.in(inbound.empty() ? kIdleMs : kHeadMs);
  auto place = gate_.idle.end();
  const auto leave_idle = [&] {
    if (place != gate_.idle.end()) gate_.idle.erase(place);
    place = gate_.idle.end();
  };
  for (;;) {
    const auto size = inbound.empty() ? Result<std::size_t>(0) : find_head(inbound.view(), kLimits, scanned);
    if (!size) {
      leave_idle();
      const int status = size.error().code == "head_too_large" ? 431 : 400;
      head = {};
      const Refusal refusal{status, size.error().code, size.error().message, {}, {}};
      co_await refuse(gate_, *this, refusal, nullptr);
      co_return false;
    }
    if (*size != 0) {
      leave_idle();
      head_bytes.assign(inbound.view().substr(0, *size));
      inbound.consume(*size);
      co_return true;
    }
    io::IoResult got{io::IoStatus::again};
    if (!inbound.empty() || transport.may_have_input()) got = transport.try_read(inbound.space());
    if (got.status == io::IoStatus::ok) {
      if (inbound.empty()) deadline = gate_.loop.in(kHeadMs);
      inbound.filled(got.size);
      continue;
    }
    if (got.status == io::IoStatus::end || got.status == io::IoStatus::broken) break;
    if (inbound.empty()) {
      inbound.release();
      if (place == gate_.idle.end()) place = gate_.idle.insert(gate_.idle.end(), this);
    } else {
      leave_idle();
    }
    io::Wake wake = io::Wake::closed;
    if (got.status == io::IoStatus::want_write) {
      wake = co_await transport.descriptor().writable(deadline);
    } else {
      wake = co_await transport.descriptor().readable(deadline);
    }
    if (wake == io::Wake::ready) continue;
    if (wake == io::Wake::timeout && !inbound.empty()) {
      leave_idle();
      head = {};
      const Refusal refusal{408, "head_timeout", "the head of the request did not come in time", {}, {}};
      co_await refuse(gate_, *this, refusal, nullptr);
    }
    break;
  }
  leave_idle();
  co_return false;
}

io::Task<void> Connection::serve() {
  const bool started = co_await start();
  if (!started) co_return;
  destination.tls = tls;
  destination.host = host;
  destination.port = port;
  destination.make_key();
  for (;;) {
    const bool has_head = co_await read_head();
    if (!has_head) co_return;
    const bool go_on = co_await serve_request();
    if (!go_on) co_return;
    if (gate_.finishing) co_return;
  }
}

io::Task<bool> Connection::serve_request() {
  static constexpr HeadLimits kLimits{};
  thread_local HeadParser parser;
  const auto parsed = parser.request(head_bytes, kLimits, head);
  if (!parsed) {
    const Refusal refusal{parsed.error().code == "too_many_headers" ? 431 : 400, parsed.error().code, parsed.error().message, {}, {}};
    head = {};
    co_await refuse(gate_, *this, refusal, nullptr);
    co_return false;
  }
  read_body.reset();
  partly_read.reset();
  if (gate_.in_force->policy.wants_process()) co_await find_owners();
  auto admitted = admit(gate_, *this);
  if (!admitted) {
    // What cannot be read in one way only is not followed by another request: the two ends may disagree where it begins.
    const bool ends = admitted.error().status == 400;
    const bool go_on = co_await refuse(gate_, *this, admitted.error(), nullptr);
    co_return go_on && !ends;
  }
  if (admitted->decision.needs_body) co_await inspect_body(gate_, *this, *admitted);
  Admission& admission = *admitted;
  if (admission.decision.action != policy::Action::deny && !admission.policy->credentials.is_up_to_date()) {
    auto prepared = co_await admission.policy->credentials.prepare();
    if (!prepared) {
      const Refusal refusal{503, prepared.error().code, "what must not leave cannot be looked for: " + prepared.error().message, {}, {}};
      co_return co_await refuse(gate_, *this, refusal, &admission);
    }
  }
  LeakGuard guard(gate_, *this, admission);
  auto examined = co_await examine(gate_, *this, admission, guard);
  if (!examined) co_return co_await refuse(gate_, *this, examined.error(), &admission);
  auto passed = co_await may_pass(gate_, *this, admission);
  if (!passed) co_return co_await refuse(gate_, *this, passed.error(), &admission);
  const auto& limits = admitted->policy->limits();
  if (head.body.kind == BodyLength::Kind::fixed && head.body.size > limits.request_body) {
    const Refusal refusal{413, "request_too_large", "the request's body is larger than limits.request_body", "raise limits.request_body in the policy", {}};
    co_return co_await refuse(gate_, *this, refusal, &admission);
  }
  Exchange exchange(gate_, *this, admission, guard);
  co_return co_await exchange.run();
}

io::Task<void> Connection::find_owners() {
  if (owners_known_) co_return;
  owners_known_ = true;
  const auto ends = connection_ends(transport.descriptor().fd());
  if (!ends) co_return;
  executables = co_await gate_.keeper.owners(*ends);
}

}  // namespace weir::proxy
