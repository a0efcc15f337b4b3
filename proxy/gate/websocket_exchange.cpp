#include "proxy/gate/websocket_exchange.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>

#include "base/text.h"
#include "proxy/gate/deadlines.h"
#include "proxy/gate/exchange.h"
#include "proxy/http1/encoder.h"
#include "proxy/websocket/close.h"
#include "proxy/websocket/handshake.h"
#include "proxy/websocket/reframer.h"

namespace weir::proxy {
namespace {

constexpr std::uint64_t kCloseMs = 60'000;  // between one side's close frame and the other's, without anything else coming
// After so many reads in one go a busy WebSocket lets the others have their turn.
constexpr int kReadsInOneGo = 64;

// One direction.
struct Direction {
  Direction(websocket::Sender sender, WebSocketSide source, io::Transport& sink, websocket::Transform transform)
      : by(sender), from(source), to(sink), reframer(sender, std::move(transform)) {}
  const websocket::Sender by;
  WebSocketSide from;
  io::Transport& to;
  websocket::Reframer reframer;
  bool writing = false;      // some of a frame is still to be written: no other may come between
  bool ends_in_close = false;  // the last frame written was a close frame
  std::string pending;
};

// Lives in carry_websocket()'s frame, which alone closes the transports.
struct Carrying {
  explicit Carrying(io::Loop& for_loop) : loop(for_loop), changed(for_loop), active(for_loop.now()) {}
  io::Loop& loop;
  io::Event changed;
  io::Deadline active;
  int running = 2;
  bool broken = false;
  std::uint16_t code = 0;  // what both sides are told; 0: nothing, somebody is gone
  WebSocketEnd result;
  void break_off(std::string_view end, std::uint16_t close_code, std::string reason = {}) {
    if (broken) return;
    broken = true;
    code = close_code;
    result.end = end;
    result.reason = std::move(reason);
  }
};

void append_own_close(std::string& out, const Direction& direction, std::uint16_t code, std::string_view reason) {
  std::optional<websocket::MaskKey> key;
  if (direction.by == websocket::Sender::client) key = websocket::random_mask_keys()();
  websocket::append_close(out, code, reason, key);
}

// What has been read, as frames of weir's own, to the other side. False: this direction is over.
io::Task<bool> pass_on(Carrying& shared, Direction& direction) {
  const bool from_client = direction.by == websocket::Sender::client;
  thread_local std::string frames;  // used up, or moved away, before the first suspension
  frames.clear();
  auto& inbound = direction.from.inbound;
  const auto fed = direction.reframer.feed({inbound.data(), inbound.size()}, frames);
  inbound.consume(inbound.size());
  direction.ends_in_close = direction.reframer.closed() || !fed;
  const bool leaks = !fed && fed.error().code == "leak";
  const std::uint16_t code = leaks ? websocket::kPolicyViolation : websocket::kProtocolError;
  if (!fed) append_own_close(frames, direction, code, {});
  io::Outcome written = io::Outcome::ok;
  if (!frames.empty()) {
    const io::IoResult at_once = direction.to.try_write(frames);
    const std::size_t done = at_once.status == io::IoStatus::ok ? at_once.size : 0;
    if (at_once.status == io::IoStatus::broken || at_once.status == io::IoStatus::end) {
      written = io::Outcome::broken;
    } else if (done < frames.size()) {
      direction.pending.assign(frames, done);
      direction.writing = true;
      written = co_await direction.to.write_all(direction.pending, shared.loop.in(kTunnelIdleMs));
      direction.writing = false;
    }
  }
  shared.active = shared.loop.now();
  if (written == io::Outcome::timeout) shared.break_off("idle", websocket::kGoingAway);
  if (written != io::Outcome::ok) shared.break_off(from_client ? "upstream_reset" : "client_gone", 0);
  if (leaks) shared.break_off("cut", code, fed.error().message);
  if (!fed) shared.break_off(from_client ? "client_protocol" : "upstream_protocol", websocket::kProtocolError, fed.error().code + ": " + fed.error().message);
  co_return written == io::Outcome::ok && fed.has_value() && !direction.reframer.closed();
}

// What it refers to outlives it: carry_websocket() waits for its end. Once all is broken off, it takes what still comes and drops it, so that
// a peer which is still sending gets to read the close frame.
io::Task<void> pump(Carrying& shared, Direction& direction) {
  const bool from_client = direction.by == websocket::Sender::client;
  auto& [transport, inbound] = direction.from;
  bool open = true;
  for (int reads = 0; open;) {
    if (!inbound.empty() && shared.broken) inbound.consume(inbound.size());
    if (!inbound.empty()) {
      open = co_await pass_on(shared, direction);
      if (!open && !shared.broken) break;  // the side has closed: it sends no more
      open = true;
      if (shared.broken) shared.changed.fire();
      if (shared.broken && shared.code == 0) break;
    }
    const io::IoResult got = transport.try_read(inbound.space());
    io::Wake wake = io::Wake::ready;
    if (got.status == io::IoStatus::ok) {
      inbound.filled(got.size);
      if (++reads % kReadsInOneGo == 0) wake = co_await transport.descriptor().writable(shared.active + kTunnelIdleMs);
    } else if (got.status == io::IoStatus::want_write) {
      wake = co_await transport.descriptor().writable(shared.active + kTunnelIdleMs);
    } else if (got.status == io::IoStatus::again) {
      inbound.release();
      wake = co_await transport.descriptor().readable(shared.active + kTunnelIdleMs);
    } else {
      shared.break_off(from_client ? "client_gone" : "upstream_reset", 0);
      break;
    }
    if (wake == io::Wake::closed) break;
    // The other direction may have moved meanwhile.
    if (wake == io::Wake::timeout && shared.loop.now() >= shared.active + kTunnelIdleMs) {
      shared.break_off("idle", websocket::kGoingAway);
      shared.changed.fire();
    }
  }
  --shared.running;
  shared.changed.fire();  // carry_websocket() may end here
}

// Tells the receiver of this direction that it is over, where a frame may stand now.
void tell(Direction& direction, std::uint16_t code, std::string_view reason) {
  if (direction.to.closed() || direction.writing) return;
  if (!direction.ends_in_close) {
    std::string frame;
    append_own_close(frame, direction, code, reason);
    direction.ends_in_close = true;
    (void)direction.to.try_write(frame);
  }
  if (direction.to.ssl() != nullptr) {
    SSL_shutdown(direction.to.ssl());
    ERR_clear_error();
  }
  shutdown(direction.to.descriptor().fd(), SHUT_WR);
}

}  // namespace

io::Task<WebSocketEnd> carry_websocket(io::Loop& loop, WebSocketSide client, WebSocketSide upstream, const SecretMask& mask, websocket::Rewrite outgoing,
                                       OpenTunnel& tunnel) {
  Carrying shared(loop);
  websocket::Transform find_secrets;
  if (mask.active()) {
    find_secrets = [&mask, &shared](std::span<char> bytes, bool last) {
      shared.result.masked += mask.mask(bytes);
      return last ? bytes.size() : bytes.size() - mask.incomplete({bytes.data(), bytes.size()});
    };
  }
  Direction out(websocket::Sender::client, client, upstream.transport, {});
  if (outgoing) out.reframer.rewrite_with(std::move(outgoing));
  Direction in(websocket::Sender::server, upstream, client.transport, std::move(find_secrets));
  tunnel.on_cut([&shared] {
    shared.break_off("cut", websocket::kPolicyViolation);
    shared.changed.fire();
  });
  io::spawn(pump(shared, out));
  io::spawn(pump(shared, in));
  bool told = false;
  io::Deadline over = io::kNever;
  while (shared.running > 0) {
    if (shared.broken && !told) {
      told = true;
      over = shared.code == 0 ? loop.now() : loop.in(kDrainMs);
      if (shared.code != 0) {
        const std::string why = tunnel.cut_because();
        tell(out, shared.code, why);
        tell(in, shared.code, why);
      }
    }
    if (shared.broken && loop.now() >= over && !(client.transport.closed() && upstream.transport.closed())) {
      // SECURITY: without a close frame it must look broken off, so no close_notify either.
      client.transport.descriptor().close();
      upstream.transport.descriptor().close();
      continue;
    }
    // One side has closed: the other answers soon, or has more to say first.
    const io::Deadline wait = shared.broken ? over : shared.running == 1 ? shared.active + kCloseMs : io::kNever;
    const io::Wake wake = co_await shared.changed.wait(wait);
    if (wake == io::Wake::timeout && !shared.broken && loop.now() >= shared.active + kCloseMs) shared.break_off("idle", websocket::kGoingAway);
  }
  tunnel.on_cut({});
  WebSocketEnd& end = shared.result;
  end.bytes_out = out.reframer.payload_bytes();
  end.bytes_in = in.reframer.payload_bytes();
  end.frames_out = out.reframer.frames();
  end.frames_in = in.reframer.frames();
  // After a close frame and its answer the connections end in good order; a broken one must not look so.
  if (shared.broken) {
    if (shared.code == 0) reset(client.transport);
    client.transport.close();
    upstream.transport.descriptor().close();
  }
  co_return std::move(end);
}

// -- what an exchange does for a WebSocket

// In place of the client's: weir's own key, no extension (weir reads every frame), the client's subprotocols.
void Exchange::append_handshake(std::string& out) {
  append_header(out, "Connection", "Upgrade");
  append_header(out, "Upgrade", "websocket");
  append_header(out, "Sec-WebSocket-Version", "13");
  websocket_key_ = websocket::make_key();
  append_header(out, "Sec-WebSocket-Key", websocket_key_);
  std::string offered;
  for (const auto name : handshake_.subprotocols) offered.append(offered.empty() ? "" : ", ").append(name);
  if (!offered.empty()) append_header(out, "Sec-WebSocket-Protocol", offered);
}

namespace {

// What the client sends: searched for what must not get out, and in text placeholders replaced.
struct OutgoingMessages {
  OutgoingMessages(LeakGuard& for_guard, std::vector<Replacement> with) : guard(for_guard), replacements(std::move(with)) {}
  LeakGuard& guard;
  std::vector<Replacement> replacements;
  std::optional<OutgoingBody> message;

  Result<void> pass(std::string_view piece, websocket::Opcode opcode, bool last, std::string& out) {
    if (websocket::is_control(opcode)) {
      guard.examine(piece, "websocket");
      if (guard.refusal()) return fail("leak", guard.refusal()->message);
      return {};
    }
    if (!message) {
      message.emplace();
      if (guard.looks_for_anything()) message->search(guard, "websocket");
      if (opcode == websocket::Opcode::text && !replacements.empty()) message->substitute(BodyKind::json, replacements);
    }
    auto fed = message->feed(piece, last, out);
    if (last) message.reset();
    return fed;
  }
};

}  // namespace

websocket::Rewrite Exchange::look_at_text() {
  auto replacements = request_.replacements_for_body();
  if (replacements.empty() && !guard_.looks_for_anything()) return {};
  guard_.refuse_what_asks();
  auto messages = std::make_shared<OutgoingMessages>(guard_, std::move(replacements));
  return [messages](std::string_view piece, websocket::Opcode opcode, bool last, std::string& out) { return messages->pass(piece, opcode, last, out); };
}

// The upstream has answered with 101: its answer is checked, the client gets one of weir's own, then frames are carried.
io::Task<bool> Exchange::switch_protocols() {
  const auto chosen = websocket::check_answer(response_, websocket_key_, handshake_.subprotocols);
  if (!chosen) co_return co_await fail_upstream(chosen.error());
  std::string& out = client_.out;
  out.clear();
  append_status_line(out, 101, "Switching Protocols");
  append_header(out, "Connection", "Upgrade");
  append_header(out, "Upgrade", "websocket");
  append_header(out, "Sec-WebSocket-Accept", websocket::accept_for(handshake_.key));
  if (!chosen->empty()) append_header(out, "Sec-WebSocket-Protocol", *chosen);
  std::string masked;
  const HopByHop hop_by_hop(response_.headers);
  for (const auto& header : response_.headers) {
    if (hop_by_hop.drops(header.name) || to_lower(header.name).starts_with("sec-websocket-")) continue;
    masked.assign(header.value);
    masked_ += mask_.mask(masked);
    append_header(out, header.name, masked);
  }
  append_end_of_head(out);

  const bool approved = admission_.decision.action == policy::Action::ask;
  OpenTunnel tunnel(gate_, [this](const PolicyInUse& policy) { return decide_again(policy, client_, admission_); }, approved);
  // The handshake was admitted by its policy; what it opens lives under the one in force.
  if (gate_.in_force != admission_.policy && !tunnel.may_go_on(*gate_.in_force)) tunnel.cut("the policy was changed and no longer allows it");
  WebSocketEnd end;
  const auto written = co_await client_.transport.write_all(out, progress());
  if (written != io::Outcome::ok) {
    end.end = "client_gone";
    client_.transport.descriptor().close();
  } else {
    const WebSocketSide client{client_.transport, client_.inbound};
    const WebSocketSide upstream{upstream_->transport, upstream_->inbound};
    end = co_await carry_websocket(gate_.loop, client, upstream, mask_, look_at_text(), tunnel);
  }
  events::Fields fields;
  fields.text("request", admission_.id).text("host", admission_.host).number("port", client_.port).text("protocol", "websocket");
  fields.number("bytes_out", static_cast<std::int64_t>(end.bytes_out)).number("bytes_in", static_cast<std::int64_t>(end.bytes_in));
  fields.number("frames_out", static_cast<std::int64_t>(end.frames_out)).number("frames_in", static_cast<std::int64_t>(end.frames_in));
  fields.number("total_us", static_cast<std::int64_t>((uv_hrtime() - started_ns_) / 1000)).text("upstream", upstream_->address).text("end", end.end);
  if (end.end == "cut" && end.reason.empty()) end.reason = tunnel.cut_because();
  if (!end.reason.empty()) fields.text("reason", end.reason);
  gate_.keeper.report("egress.tunnel", fields);
  masked_ += end.masked;
  report_reflected();
  co_return false;
}

}  // namespace weir::proxy
