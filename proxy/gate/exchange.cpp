#include "proxy/gate/exchange.h"

#include <algorithm>

#include "base/ids.h"
#include "base/text.h"
#include "proxy/gate/deadlines.h"
#include "proxy/http1/encoder.h"

namespace weir::proxy {
namespace {

constexpr std::string_view kWebSocketFields = "sec-websocket-";
constexpr std::size_t kInlineBody = 16 * 1024;      // a body that is there already and no larger goes out with its head

bool is_idempotent(std::string_view method) {  // RFC 9110 §9.2.2
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" || method == "OPTIONS" || method == "TRACE";
}

}  // namespace

Exchange::Exchange(Gate& gate, Connection& connection, Admission admission)
    : gate_(gate), client_(connection), admission_(std::move(admission)), destination_(connection.destination),
      response_bytes_(connection.response_bytes), response_(connection.response), pump_ended_(gate.loop), progress_ms_(kProgressMs) {
  response_.status = 0;
}

io::Task<Result<void>> Exchange::fetch_secrets() {
  for (const auto index : admission_.credentials) {
    auto secret = co_await gate_.keeper.secret(admission_.policy->generation, index);
    if (!secret) {
      const auto& name = admission_.policy->document().credentials[index].name;
      co_return fail("credential_unavailable", "the credential `" + name + "` cannot be had: " + secret.error().message);
    }
    mask_.add((*secret)->reveal());
    secrets_.emplace_back(index, std::move(*secret));
  }
  co_return Result<void>{};
}

io::Task<bool> Exchange::run() {
  started_ns_ = uv_hrtime();
  if (admission_.websocket) {
    const auto handshake = websocket::read_handshake(client_.head);
    if (!handshake) {
      const Refusal refusal{400, handshake.error().code, handshake.error().message, {}, {}};
      co_return co_await refuse(gate_, client_, refusal, &admission_);
    }
    handshake_ = *handshake;
  }
  // SECURITY: G3, the event is in the store before anything of the request leaves, or the request does not leave.
  events::Fields fields;
  fields.reserve(512);
  put_request_fields(fields, client_, admission_);
  fields.text("verdict", admission_.decision.action == policy::Action::log ? "log" : "allow");
  fields.text("rule", admission_.decision.rule != nullptr ? std::string_view(admission_.decision.rule->name) : "default");
  if (!admission_.credential_names.empty()) fields.text("credential", admission_.credential_names);
  if (client_.head.body.kind == BodyLength::Kind::fixed) fields.number("body_bytes", static_cast<std::int64_t>(client_.head.body.size));
  const std::uint64_t number = gate_.keeper.report("egress.request", fields);
  const bool recorded = co_await gate_.keeper.recorded(number);
  if (!recorded) {
    const Refusal refusal{503, "store_unavailable", "the event store cannot record this request", "make room on the disk that holds weir's sessions", {}};
    co_return co_await refuse(gate_, client_, refusal, &admission_);
  }
  if (!admission_.credentials.empty()) {
    auto secrets = co_await fetch_secrets();
    if (!secrets) {
      const Refusal refusal{503, secrets.error().code, secrets.error().message, {}, {}};
      co_return co_await refuse(gate_, client_, refusal, &admission_);
    }
  }

  body_inline_ = client_.head.body.kind == BodyLength::Kind::none || client_.read_body ||
                 (client_.head.body.kind == BodyLength::Kind::fixed && client_.head.body.size <= kInlineBody &&
                  client_.head.body.size <= client_.inbound.size());
  Destination to = destination_;
  to.as_it_is = admission_.websocket && !to.tls;  // a proxy that reads HTTP would not pass on what comes after it
  for (bool fresh = admission_.websocket;; fresh = true) {
    if (!fresh) upstream_ = admission_.policy->pool.take_idle(destination_);
    if (upstream_ == nullptr) {
      auto connected = co_await admission_.policy->pool.connect(to);
      if (!connected) co_return co_await fail_upstream(connected.error());
      upstream_ = std::move(*connected);
    }
    if (client_.tls) {
      // An agent that stops waiting should not keep a model thinking.
      client_.transport.descriptor().on_hang_up([this] {
        end_ = "client_gone";
        if (upstream_ != nullptr) upstream_->transport.descriptor().close();
      });
    }
    auto sent = co_await send_request();
    Result<void> answered = sent;
    if (sent) answered = co_await read_response_head();
    client_.transport.descriptor().on_hang_up({});
    if (answered) break;
    // A kept connection may have been closed by the upstream just as it was taken: once more on a new one, where
    // nothing can have been done yet or doing it twice changes nothing (RFC 9110 §9.2.2).
    const bool retry = upstream_->reused && !upstream_spoke_ && body_inline_ && is_idempotent(client_.head.method) && end_ != "client_gone" &&
                       answered.error().code == "upstream_reset" && !fresh;
    co_await stop_pump();
    upstream_.reset();
    if (retry) continue;
    co_return co_await fail_upstream(answered.error());
  }
  consume_inline_body();
  if (response_.status == 101) co_return co_await switch_protocols();
  co_return co_await stream_response();
}

void Exchange::serialise_request(bool with_body) {
  const RequestHead& head = client_.head;
  std::string& out = client_.out;
  out.clear();
  std::string target;
  const bool default_port = destination_.port == (destination_.tls ? 443 : 80);
  const bool v6 = destination_.host.find(':') != std::string::npos;
  std::string authority = v6 ? "[" + destination_.host + "]" : destination_.host;
  if (!default_port) authority += ":" + std::to_string(destination_.port);
  if (upstream_->through_proxy) target = "http://" + authority;
  target += admission_.path.wire;
  target += admission_.query;
  append_request_line(out, head.method, target);
  append_header(out, "Host", authority);
  const HopByHop hop_by_hop(head.headers);
  const auto& credentials = admission_.policy->document().credentials;
  for (const auto& header : head.headers) {
    if (hop_by_hop.drops(header.name)) continue;
    if (equals_ignoring_case(header.name, "host") || equals_ignoring_case(header.name, "expect")) continue;
    if (admission_.websocket && header.name.size() > kWebSocketFields.size() &&
        equals_ignoring_case(header.name.substr(0, kWebSocketFields.size()), kWebSocketFields))
      continue;
    // A compressed answer could reflect a secret unseen (SECURITY: G2): one that carries a credential asks for a plain one.
    if (!secrets_.empty() && equals_ignoring_case(header.name, "accept-encoding")) continue;
    // What the client sent in the place of a credential is dropped, so there is one value and it is weir's.
    const bool replaced = std::any_of(secrets_.begin(), secrets_.end(), [&](const auto& secret) {
      return equals_ignoring_case(header.name, credentials[secret.first].inject.name);
    });
    if (!replaced) append_header(out, header.name, header.value);
  }
  if (!secrets_.empty()) append_header(out, "Accept-Encoding", "identity");
  for (const auto& [index, secret] : secrets_) {
    const auto& inject = credentials[index].inject;
    std::string value;
    value.reserve(inject.format.size() + secret->size());
    std::string_view format = inject.format;
    static constexpr std::string_view kMark = "{secret}";
    for (auto at = format.find(kMark); at != std::string_view::npos; at = format.find(kMark)) {
      value.append(format.substr(0, at)).append(secret->reveal());
      format.remove_prefix(at + kMark.size());
    }
    value.append(format);
    append_header(out, inject.name, value);
    wipe(value.data(), value.size());
  }
  if (admission_.websocket) append_handshake(out);
  append_body_length(out, head.body);
  append_end_of_head(out);
  if (with_body) out.append(client_.read_body ? std::string_view(*client_.read_body) : client_.inbound.view().substr(0, head.body.size));
}

// A body that went out with the head is no longer the client's next bytes.
void Exchange::consume_inline_body() {
  if (!body_inline_ || client_.head.body.kind != BodyLength::Kind::fixed || client_.read_body) return;
  client_.inbound.consume(client_.head.body.size);
}

io::Task<Result<void>> Exchange::send_request() {
  const bool with_body = body_inline_ && client_.head.body.kind == BodyLength::Kind::fixed;
  serialise_request(with_body);
  request_bytes_ = with_body ? client_.head.body.size : 0;
  io::Outcome written = io::Outcome::ok;
  // The usual case needs no coroutine of its own.
  const io::IoResult at_once = upstream_->transport.try_write(client_.out);
  if (at_once.status != io::IoStatus::ok || at_once.size < client_.out.size()) {
    const std::size_t done = at_once.status == io::IoStatus::ok ? at_once.size : 0;
    if (at_once.status == io::IoStatus::broken || at_once.status == io::IoStatus::end) {
      written = io::Outcome::broken;
    } else {
      written = co_await upstream_->transport.write_all(std::string_view(client_.out).substr(done), progress());
    }
  }
  if (!secrets_.empty()) wipe(client_.out.data(), client_.out.size());
  if (written == io::Outcome::timeout) co_return fail("upstream_timeout", "the upstream did not take the request in time");
  if (written != io::Outcome::ok) co_return fail("upstream_reset", "the upstream closed the connection before it took the request");
  if (!body_inline_) {
    pump_ = PumpEnd::running;
    io::spawn(pump_body());
  }
  co_return Result<void>{};
}

// Carries the request's body to the upstream while the response may already come. Runs on its own; the exchange waits for
// its end in every case (stop_pump), so what it refers to outlives it.
io::Task<void> Exchange::pump_body() {
  BodyDecoder decoder(client_.head.body);
  const bool chunked = client_.head.body.kind == BodyLength::Kind::chunked;
  const std::uint64_t limit = std::min(admission_.policy->limits().request_body, admission_.decision.body_max);
  std::string piece;
  PumpEnd end = PumpEnd::complete;
  if (client_.head.expect_continue && client_.inbound.empty()) {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    const auto written = co_await client_.transport.write_all(kContinue, progress());
    if (written != io::Outcome::ok) end = PumpEnd::client_gone;
  }
  while (end == PumpEnd::complete) {
    const auto step = decoder.decode(client_.inbound.view());
    if (!step) {
      pump_error_ = step.error().code;
      end = PumpEnd::bad_body;
      break;
    }
    request_bytes_ += step->payload.size();
    if (request_bytes_ > limit) {
      end = PumpEnd::too_large;
      break;
    }
    if (!discarding_ && (!step->payload.empty() || (chunked && step->done))) {
      io::Outcome written = io::Outcome::ok;
      if (chunked) {
        piece.clear();
        if (!step->payload.empty()) {
          append_chunk_prefix(piece, step->payload.size());
          piece.append(step->payload).append("\r\n");
        }
        if (step->done) append_last_chunk(piece, allowed_trailers(decoder.trailers()));
        written = co_await upstream_->transport.write_all(piece, progress());
      } else {
        written = co_await upstream_->transport.write_all(step->payload, progress());
      }
      if (written != io::Outcome::ok && !discarding_) {
        end = PumpEnd::upstream_gone;
        break;
      }
    }
    client_.inbound.consume(step->consumed);
    if (step->done) break;
    if (step->consumed > 0 && !client_.inbound.empty()) continue;
    std::size_t got = 0;
    const auto space = client_.inbound.space();
    const auto reading = co_await client_.transport.read_some(space, progress(), got);
    if (reading != io::Outcome::ok) {
      end = PumpEnd::client_gone;
      break;
    }
    client_.inbound.filled(got);
  }
  pump_ = end;
  // A request that cannot be completed must not look complete to the upstream.
  if (end == PumpEnd::client_gone || end == PumpEnd::bad_body || end == PumpEnd::too_large) {
    if (upstream_ != nullptr) upstream_->transport.descriptor().close();
  }
  pump_ended_.fire();
}

// Lets a body that is still being sent run out for a short time, then ends it.
io::Task<void> Exchange::stop_pump() {
  if (pump_ != PumpEnd::running) co_return;
  discarding_ = true;
  progress_ms_ = kDrainMs;
  if (upstream_ != nullptr) upstream_->transport.descriptor().close();
  if (pump_ == PumpEnd::running) {
    const io::Wake wake = co_await pump_ended_.wait(gate_.loop.in(kDrainMs));
    if (wake == io::Wake::timeout && pump_ == PumpEnd::running) {
      client_.transport.descriptor().close();  // its reads and writes end now, and the pump with them
    }
  }
  while (pump_ == PumpEnd::running) co_await pump_ended_.wait(gate_.loop.in(kDrainMs));
}

// SECURITY: G2, a trailer must not stand where weir's own header stands.
Exchange::Trailers Exchange::allowed_trailers(Trailers trailers) const {
  const auto& credentials = admission_.policy->document().credentials;
  std::erase_if(trailers, [&](const auto& trailer) {
    return std::any_of(credentials.begin(), credentials.end(), [&](const auto& one) { return equals_ignoring_case(trailer.first, one.inject.name); });
  });
  return trailers;
}

io::Task<bool> Exchange::fail_upstream(const Error& error) {
  if (end_ == "client_gone" || pump_ == PumpEnd::client_gone) {
    end_ = "client_gone";
    report_response();
    co_return false;
  }
  Refusal refusal{502, error.code, error.message, {}, {}};
  if (pump_ == PumpEnd::bad_body) refusal = {400, pump_error_, "the request's body is not framed as its head says", {}, {}};
  if (pump_ == PumpEnd::too_large) refusal = {413, "request_too_large", "the request's body is larger than limits.request_body", "raise limits.request_body in the policy", {}};
  if (pump_ == PumpEnd::too_large && admission_.decision.body_max < admission_.policy->limits().request_body)
    refusal = {413, "body_too_large", "the request's body is larger than the rule's body_max", "raise body_max in the policy", {}};
  if (error.code == "upstream_timeout") refusal.status = 504;
  if (error.code == "address_not_named") {
    refusal.status = 403;
    refusal.how_to_allow = "name the address in the rule's `addresses`, or fix it in `upstream.resolve`";
  }
  // The body, or a part of it, has been read by the pump: only the exchange knows where it stands, so the connection ends.
  const bool body_started = !body_inline_ && request_bytes_ > 0;
  if (body_inline_ && client_.head.body.kind == BodyLength::Kind::fixed && !response_started_) {
    consume_inline_body();
    client_.head.body = {};
  }
  const bool framing_known = !body_started && pump_ != PumpEnd::bad_body;
  if (!framing_known) {
    client_.head.body = {};
    client_.head.keep_alive = false;
  }
  co_return co_await refuse(gate_, client_, refusal, &admission_);
}

}  // namespace weir::proxy
