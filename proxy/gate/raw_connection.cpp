#include "proxy/gate/raw_connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "proxy/gate/admission.h"
#include "proxy/gate/deadlines.h"
#include "proxy/gate/hold.h"
#include "proxy/gate/leak_guard.h"
#include "proxy/gate/tunnel.h"
#include "proxy/tls/client_hello.h"

namespace weir::proxy {
namespace {

// What no HTTP server could take for the beginning of a request: a method is a token, and those in use begin with a letter (RFC 9112 §3).
bool may_be_http(char first) {
  return (first >= 'A' && first <= 'Z') || (first >= 'a' && first <= 'z') || first == '\r' || first == '\n' || first == ' ' || first == '\t';
}

// What the client has said: its first octet, or nothing yet. Consumes none.
enum class Peek : std::uint8_t { nothing, octet, end };
Peek peek(io::Transport& transport, char& first) {
  const ssize_t got = recv(transport.descriptor().fd(), &first, 1, MSG_PEEK);
  if (got == 1) return Peek::octet;
  return got < 0 && (errno == EAGAIN || errno == EINTR) ? Peek::nothing : Peek::end;
}

// Waits until one of two descriptors can be read.
struct EitherReadable {
  EitherReadable(io::Descriptor& one, io::Descriptor& other, io::Deadline deadline)
      : first(one, UV_READABLE, deadline), second(other, UV_READABLE, deadline), loop(one.loop()) {}
  bool await_ready() { return first.await_ready() || second.await_ready(); }
  void await_suspend(std::coroutine_handle<> handle) {
    first.await_suspend(handle);
    second.await_suspend(handle);
  }
  io::Wake await_resume() {
    const bool waited = first.waiter.handle != nullptr;
    const io::Wake result = !waited ? io::Wake::closed : first.waiter.next == nullptr ? first.waiter.result : second.waiter.result;
    loop.forget(first.waiter);
    loop.forget(second.waiter);
    return result;
  }
  io::Descriptor::Awaiter first;
  io::Descriptor::Awaiter second;
  io::Loop& loop;
};

// Whether some rule could let an inspected request through at this port.
bool inspects_port(const policy::Document& document, std::uint16_t port) {
  const bool usual = port == 443 || port == 80;
  if (document.default_action != policy::Action::deny) return true;
  return std::ranges::any_of(document.rules, [&](const policy::Rule& rule) {
    if (rule.action == policy::Action::deny || rule.tcp) return false;
    if (std::ranges::find(rule.ports, port) != rule.ports.end()) return true;
    return std::ranges::any_of(rule.hosts, [&](const auto& host) { return host.port ? *host.port == port : rule.ports.empty() && usual; });
  });
}

// One connection that is not looked into. Lives in the frame of whoever serves it.
class RawConnection {
 public:
  RawConnection(Gate& gate, Connection& client, std::string_view scheme)
      : gate_(gate), client_(client), scheme_(scheme), admission_(admit_tunnel(gate, client, scheme)) {}
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  const Admission& admission() const { return admission_; }
  // Counted, granted where it must be, recorded, connected. False: it was refused, and the client has seen a reset.
  io::Task<bool> open();
  // After open(). What client.inbound and upstream().inbound hold goes first.
  io::Task<void> carry();
  void refuse(const Refusal& refusal);
  Upstream& upstream() { return *upstream_; }
  // Ends it without having carried (all of) it; for what follows open().
  void give_up(std::string_view end);
  std::uint64_t bytes_out = 0;  // that went before carry()
  std::uint64_t bytes_in = 0;

 private:
  bool still_admitted(Refusal& refusal) const;
  void report_end(const TunnelEnd& end);

  Gate& gate_;
  Connection& client_;
  const std::string_view scheme_;
  Admission admission_;
  std::optional<OpenTunnel> tunnel_;
  std::unique_ptr<Upstream> upstream_;
  std::uint64_t started_ns_ = 0;
};

void RawConnection::refuse(const Refusal& refusal) {
  events::Fields fields;
  put_request_fields(fields, client_, admission_);
  fields.text("verdict", refusal.status >= 500 ? "error" : "deny");
  if (!refusal.rule.empty()) fields.text("rule", refusal.rule);
  if (client_.server_name != client_.host && !client_.server_name.empty()) fields.text("sni", gate_.recordable(client_.server_name));
  fields.text("code", refusal.code).text("reason", gate_.recordable(refusal.message));
  gate_.keeper.report("egress.denied", fields);
  reset(client_.transport);
}

io::Task<bool> RawConnection::open() {
  if (admission_.decision.action != policy::Action::deny && !admission_.policy->credentials.is_up_to_date()) {
    auto prepared = co_await admission_.policy->credentials.prepare();
    if (!prepared) {
      refuse({503, prepared.error().code, "what must not leave cannot be looked for: " + prepared.error().message, {}, {}});
      co_return false;
    }
  }
  LeakGuard guard(gate_, client_, admission_);
  guard.examine_name();  // all that weir reads of such a connection, and what DNS outside gets to see
  if (guard.refusal()) {
    refuse(*guard.refusal());
    co_return false;
  }
  auto passed = co_await may_pass(gate_, client_, admission_);
  if (!passed) {
    refuse(passed.error());
    co_return false;
  }
  // Somebody may have been asked, which takes time: another policy may be in force by now.
  const bool approved = admission_.decision.action == policy::Action::ask;
  if (gate_.in_force != admission_.policy) {
    const auto now = decide_tunnel_again(*gate_.in_force, client_, scheme_);
    if (now.action == policy::Action::deny) {
      admission_.policy = gate_.in_force;
      admission_.decision = now;
      refuse(refusal_for(client_, admission_));
      co_return false;
    }
  }
  tunnel_.emplace(gate_, [this](const PolicyInUse& policy) { return decide_tunnel_again(policy, client_, scheme_); }, approved);

  started_ns_ = uv_hrtime();
  // SECURITY: G3, the event is in the store before anything leaves, be it the first packet of a connection.
  events::Fields fields;
  put_request_fields(fields, client_, admission_);
  fields.text("verdict", admission_.decision.action == policy::Action::log ? "log" : "allow");
  fields.text("rule", admission_.decision.rule != nullptr ? std::string_view(admission_.decision.rule->name) : "default");
  const std::uint64_t number = gate_.keeper.report("egress.request", fields);
  const bool recorded = co_await gate_.keeper.recorded(number);
  if (!recorded) {
    refuse({503, "store_unavailable", "the event store cannot record this connection", {}, {}});
    co_return false;
  }
  Destination to;
  to.tls = false;
  to.as_it_is = true;
  to.host = client_.host;
  to.port = client_.port;
  to.make_key();
  auto connected = co_await admission_.policy->pool.connect(to);
  if (!connected) {
    refuse({502, connected.error().code, connected.error().message, {}, {}});
    co_return false;
  }
  upstream_ = std::move(*connected);
  if (!tunnel_->cut_because().empty()) {
    give_up("cut");
    co_return false;
  }
  co_return true;
}

void RawConnection::report_end(const TunnelEnd& end) {
  events::Fields fields;
  fields.text("request", admission_.id).text("host", client_.host).number("port", client_.port).text("protocol", scheme_ == "tls" ? "tls-passthrough" : "tcp");
  fields.number("bytes_out", static_cast<std::int64_t>(bytes_out + end.bytes_out)).number("bytes_in", static_cast<std::int64_t>(bytes_in + end.bytes_in));
  fields.number("total_us", static_cast<std::int64_t>((uv_hrtime() - started_ns_) / 1000)).text("upstream", upstream_->address).text("end", end.end);
  if (end.end == "cut") fields.text("reason", tunnel_->cut_because());
  gate_.keeper.report("egress.tunnel", fields);
}

void RawConnection::give_up(std::string_view end) {
  reset(upstream_->transport);
  TunnelEnd result;
  result.end = end;
  report_end(result);
  if (end == "cut") reset(client_.transport);
}

io::Task<void> RawConnection::carry() {
  const std::string_view first_out = client_.inbound.view();
  const std::string_view first_in = upstream_->inbound.view();
  const TunnelEnd end = co_await proxy::carry(gate_.loop, client_.transport, first_out, upstream_->transport, first_in, *tunnel_);
  report_end(end);
}

// Reads from the client until a whole ClientHello is in client.inbound.
io::Task<Result<ClientHello>> read_hello(Gate& gate, Connection& client) {
  const io::Deadline deadline = gate.loop.in(kHandshakeMs);
  for (;;) {
    auto hello = read_client_hello(client.inbound.view());
    if (!hello) co_return std::unexpected(hello.error());
    if (*hello) co_return std::move(**hello);
    std::size_t got = 0;
    const auto space = client.inbound.space();
    const auto reading = co_await client.transport.read_some(space, deadline, got);
    if (reading == io::Outcome::timeout) co_return fail("tls_handshake", "the client did not finish its ClientHello in time");
    if (reading != io::Outcome::ok) co_return fail("tls_handshake", "the client ended the connection within its ClientHello");
    client.inbound.filled(got);
  }
}

// SECURITY: G8, what the server answers to must be what was decided.
std::optional<Refusal> check_hello(const ClientHello& hello, Connection& client) {
  client.server_name = hello.server_name;
  // A server that takes the inner ClientHello answers to a name that weir cannot see, and one that is only camouflage looks the same.
  if (hello.encrypted)
    return Refusal{403, "ech_refused", "the TLS ClientHello has an encrypted part, which could name another server than " + client.host, {}, {}};
  if (hello.server_name == client.host || (hello.server_name.empty() && client.literal)) return std::nullopt;
  return Refusal{403, "sni_mismatch", hello.server_name.empty() ? "the TLS ClientHello names no server, and " + client.host + " was dialled"
                                                               : "the TLS server name " + hello.server_name + " is not " + client.host + ", which was dialled", {}, {}};
}

// Sends the client's records up to and with its next ClientHello, once that was checked (RFC 8446 §4.1.2: after a HelloRetryRequest).
// What may come before: a change_cipher_spec for middle boxes, and early data that the server will skip.
io::Task<Result<void>> pass_second_hello(Gate& gate, Connection& client, RawConnection& raw) {
  constexpr std::size_t kHeader = 5;
  const io::Deadline deadline = gate.loop.in(kHandshakeMs);
  for (bool done = false; !done;) {
    const std::string_view bytes = client.inbound.view();
    std::size_t whole = 0;
    if (bytes.size() >= kHeader) {
      const char type = bytes[0];
      const std::size_t size = kHeader + (static_cast<std::size_t>(static_cast<unsigned char>(bytes[3])) << 8) + static_cast<unsigned char>(bytes[4]);
      if (type == kTlsHandshakeRecord) {
        auto hello = read_client_hello(bytes);
        if (!hello) co_return std::unexpected(hello.error());
        if (*hello) {
          if (const auto refused = check_hello(**hello, client)) co_return fail(refused->code, "after a HelloRetryRequest, " + refused->message);
          co_return Result<void>{};
        }
      } else if (type != 0x14 && type != 0x17) {
        co_return Result<void>{};  // an alert: the client gives up
      } else if (bytes.size() >= size) {
        whole = size;
      }
    }
    if (whole > 0) {
      const std::string_view record = bytes.substr(0, whole);
      const auto written = co_await raw.upstream().transport.write_all(record, deadline);
      if (written != io::Outcome::ok) co_return fail("upstream_reset", "the upstream ended the connection in the TLS handshake");
      raw.bytes_out += whole;
      client.inbound.consume(whole);
      continue;
    }
    std::size_t got = 0;
    const auto space = client.inbound.space();
    const auto reading = co_await client.transport.read_some(space, deadline, got);
    if (reading != io::Outcome::ok) co_return fail("tls_handshake", "the client did not answer a HelloRetryRequest");
    client.inbound.filled(got);
  }
  co_return Result<void>{};
}

// Sends the ClientHello and sees what the server says to it, before more of the client's is let through: a HelloRetryRequest has the client say
// once more which server it wants.
io::Task<Result<void>> pass_hello(Gate& gate, Connection& client, RawConnection& raw, std::size_t size) {
  const io::Deadline deadline = gate.loop.in(kHandshakeMs);
  Upstream& upstream = raw.upstream();
  const std::string_view hello = client.inbound.view().substr(0, size);
  const auto written = co_await upstream.transport.write_all(hello, deadline);
  if (written != io::Outcome::ok) co_return fail("upstream_reset", "the upstream ended the connection in the TLS handshake");
  raw.bytes_out += size;
  client.inbound.consume(size);
  std::optional<bool> retry;
  while (!retry) {
    std::size_t got = 0;
    const auto space = upstream.inbound.space();
    const auto reading = co_await upstream.transport.read_some(space, deadline, got);
    if (reading == io::Outcome::timeout) co_return fail("upstream_timeout", "the upstream did not answer the ClientHello in time");
    if (reading != io::Outcome::ok) co_return Result<void>{};  // carry() sees it too, and passes it on
    upstream.inbound.filled(got);
    retry = is_hello_retry_request(upstream.inbound.view());
  }
  if (!*retry) co_return Result<void>{};
  const std::string_view answer = upstream.inbound.view();
  const auto passed = co_await client.transport.write_all(answer, deadline);
  if (passed != io::Outcome::ok) co_return fail("client_gone", "the client ended the connection in the TLS handshake");
  raw.bytes_in += answer.size();
  upstream.inbound.consume(answer.size());
  co_return co_await pass_second_hello(gate, client, raw);
}

}  // namespace

io::Task<Opening> first_octets(Gate& gate, Connection& connection, io::Deadline deadline) {
  static constexpr std::string_view kSsh = "SSH-";  // RFC 4253 §4.2: the one common protocol whose client begins with letters
  for (;;) {
    char first = 0;
    Peek seen = Peek::octet;
    if (connection.inbound.empty()) {
      seen = peek(connection.transport, first);
    } else {
      first = connection.inbound.view().front();
    }
    if (seen == Peek::end) co_return Opening::closed;
    if (seen == Peek::octet) {
      if (first == kTlsHandshakeRecord) co_return Opening::tls;
      if (!may_be_http(first)) co_return Opening::other;
      const std::string_view said = connection.inbound.view().substr(0, kSsh.size());
      if (first != kSsh.front() || said != kSsh.substr(0, said.size())) co_return Opening::http;
      if (said.size() == kSsh.size()) co_return Opening::other;
      // A few more are needed. They are taken out of the socket, which would else report them again and again.
      std::size_t got = 0;
      const auto space = connection.inbound.space();
      const auto reading = co_await connection.transport.read_some(space, gate.loop.in(kFirstByteMs), got);
      if (reading != io::Outcome::ok) co_return Opening::closed;
      connection.inbound.filled(got);
      continue;
    }
    const io::Wake wake = co_await connection.transport.descriptor().readable(deadline);
    if (wake == io::Wake::timeout) co_return Opening::silent;
    if (wake != io::Wake::ready) co_return Opening::closed;
  }
}

io::Task<void> carry_tcp(Gate& gate, Connection& connection) {
  if (gate.in_force->policy.wants_process()) co_await connection.find_owners();
  RawConnection raw(gate, connection, "tcp");
  const bool opened = co_await raw.open();
  if (opened) co_await raw.carry();
}

io::Task<void> carry_passthrough(Gate& gate, Connection& connection) {
  auto hello = co_await read_hello(gate, connection);
  if (gate.in_force->policy.wants_process()) co_await connection.find_owners();
  RawConnection raw(gate, connection, "tls");
  if (!hello) {
    raw.refuse({400, hello.error().code, hello.error().message, {}, {}});
    co_return;
  }
  if (const auto refused = check_hello(*hello, connection)) {
    raw.refuse(*refused);
    co_return;
  }
  const bool opened = co_await raw.open();
  if (!opened) co_return;
  auto passed = co_await pass_hello(gate, connection, raw, hello->size);
  if (!passed) {
    raw.refuse({403, passed.error().code, passed.error().message, {}, {}});
    raw.give_up(passed.error().code);
    co_return;
  }
  co_await raw.carry();
}

io::Task<bool> serve_silent(Gate& gate, Connection& connection) {
  io::Descriptor& client = connection.transport.descriptor();
  if (gate.in_force->policy.wants_process()) co_await connection.find_owners();
  RawConnection raw(gate, connection, "tcp");
  if (raw.admission().decision.action == policy::Action::deny) {
    if (!inspects_port(raw.admission().policy->document(), connection.port)) {
      raw.refuse(refusal_for(connection, raw.admission()));
      co_return true;
    }
    const io::Wake wake = co_await client.readable(gate.loop.in(kFirstByteMs));
    if (wake == io::Wake::ready) co_return false;
    if (wake == io::Wake::timeout)
      raw.refuse({403, "no_request", "the client said nothing, and no rule lets raw TCP through, in which the server may speak first", {}, {}});
    co_return true;
  }
  const bool opened = co_await raw.open();
  if (!opened) co_return true;
  io::Wake wake = io::Wake::ready;
  char first = 0;
  Peek from_client = peek(connection.transport, first);
  Peek from_server = peek(raw.upstream().transport, first);
  if (from_client == Peek::nothing && from_server == Peek::nothing) {
    wake = co_await EitherReadable(client, raw.upstream().transport.descriptor(), gate.loop.in(kFirstByteMs));
    from_client = peek(connection.transport, first);
    from_server = peek(raw.upstream().transport, first);
  }
  if (from_client == Peek::octet) {
    raw.give_up("client_spoke_first");
    co_return false;
  }
  if (from_server == Peek::octet) {
    co_await raw.carry();
    co_return true;
  }
  raw.give_up(wake == io::Wake::timeout ? "idle" : from_client == Peek::end ? "client_gone" : "upstream_reset");
  reset(connection.transport);
  co_return true;
}

}  // namespace weir::proxy
