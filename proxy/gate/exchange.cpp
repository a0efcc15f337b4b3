#include "proxy/gate/exchange.h"

#include <algorithm>

#include "base/ids.h"
#include "base/text.h"
#include "proxy/gate/deadlines.h"
#include "proxy/http1/encoder.h"

namespace weir::proxy {
namespace {

bool is_idempotent(std::string_view method) {  // RFC 9110 §9.2.2
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" || method == "OPTIONS" || method == "TRACE";
}

}  // namespace

Exchange::Exchange(Gate& gate, Connection& connection, Admission& admission, LeakGuard& guard)
    : gate_(gate), client_(connection), admission_(admission), guard_(guard), request_(gate, connection, admission, guard),
      destination_(connection.destination), response_bytes_(connection.response_bytes), response_(connection.response), pump_ended_(gate.loop),
      progress_ms_(kProgressMs) {
  response_.status = 0;
  capture_ = token_endpoint(connection, admission);
  if (capture_ != nullptr) request_.will_catch_tokens();
}

Refusal Exchange::refusal_for_preparing(const Error& error) const {
  if (error.code == "leak") return *guard_.refusal();
  Refusal refusal{503, error.code, error.message, {}, {}};
  if (error.code == "body_too_large_to_sign") {
    refusal.status = 413;
    refusal.how_to_allow = "raise limits.inspected_body in the policy";
  }
  if (error.code.starts_with("signature_") || error.code.starts_with("chunk_")) refusal.status = 400;
  return refusal;
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
  auto prepared = co_await request_.prepare();
  if (!prepared) {
    const Refusal refusal = refusal_for_preparing(prepared.error());
    co_return co_await refuse(gate_, client_, refusal, &admission_);
  }
  if (request_.carries_secrets()) mask_.look_for(admission_.policy->credentials.needles());
  body_inline_ = request_.whole_body().has_value();
  Destination to = destination_;
  to.client_certificate = request_.client_certificate();
  to.as_it_is = admission_.websocket && !to.tls;  // a proxy that reads HTTP would not pass on what comes after it
  // A connection is its client certificate's.
  if (to.client_certificate != nullptr) to.key += "#" + std::to_string(reinterpret_cast<std::uintptr_t>(to.client_certificate));
  for (bool fresh = admission_.websocket;; fresh = true) {
    if (!fresh) upstream_ = admission_.policy->pool.take_idle(to);
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
  if (capture_ != nullptr) co_return co_await answer_with_placeholders();
  co_return co_await stream_response();
}

void Exchange::serialise_request(bool with_body) {
  std::string& out = client_.out;
  out.clear();
  request_.append_head(out, upstream_->through_proxy);
  if (admission_.websocket) append_handshake(out);
  append_body_length(out, request_.length());
  append_end_of_head(out);
  if (with_body) out.append(*request_.whole_body());
}

// A body that went out with the head is no longer the client's next bytes.
void Exchange::consume_inline_body() {
  if (!body_inline_ || client_.head.body.kind != BodyLength::Kind::fixed || client_.read_body) return;
  client_.inbound.consume(client_.head.body.size);
}

io::Task<Result<void>> Exchange::send_request() {
  serialise_request(body_inline_);
  request_bytes_ = body_inline_ ? request_.whole_body()->size() : 0;
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
  if (request_.carries_secrets()) wipe(client_.out.data(), client_.out.size());
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
  const bool chunked = request_.length().kind == BodyLength::Kind::chunked;
  const std::uint64_t limit = std::min(admission_.policy->limits().request_body, admission_.decision.body_max);
  OutgoingBody& body = request_.body();
  std::string changed;
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
      pump_error_ = {step.error().code, "the request's body is not framed as its head says"};
      end = PumpEnd::bad_body;
      break;
    }
    request_bytes_ += step->payload.size();
    if (request_bytes_ > limit) {
      end = PumpEnd::too_large;
      leave_rest(*step, decoder);
      break;
    }
    std::string_view payload = step->payload;
    if (body.is_active() && !discarding_) {
      changed.clear();
      Result<void> fed = body.feed(step->payload, step->done, changed);
      if (step->done && fed) fed = examine_trailers(decoder.trailers());
      if (!fed) {
        pump_error_ = fed.error();
        end = PumpEnd::refused;
        leave_rest(*step, decoder);
        break;
      }
      payload = changed;
    }
    if (!discarding_ && (!payload.empty() || (chunked && step->done))) {
      io::Outcome written = io::Outcome::ok;
      if (chunked) {
        piece.clear();
        if (!payload.empty()) {
          append_chunk_prefix(piece, payload.size());
          piece.append(payload).append("\r\n");
        }
        if (step->done) append_last_chunk(piece, allowed_trailers(decoder.trailers()));
        written = co_await upstream_->transport.write_all(piece, progress());
      } else {
        written = co_await upstream_->transport.write_all(payload, progress());
      }
      if (request_.carries_secrets() && body.is_active()) {
        wipe(piece.data(), piece.size());
        wipe(changed.data(), changed.size());
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
  if (end != PumpEnd::complete && end != PumpEnd::upstream_gone) {
    if (upstream_ != nullptr) upstream_->transport.descriptor().close();
  }
  pump_ended_.fire();
}

// The body goes no further: what is still to come of it is refuse()'s to drain, so that the client gets to read the answer.
void Exchange::leave_rest(const BodyDecoder::Step& step, BodyDecoder& decoder) {
  client_.inbound.consume(step.consumed);
  if (step.done) {
    client_.read_body.emplace();
  } else {
    client_.partly_read.emplace(std::move(decoder));
  }
}

Result<void> Exchange::examine_trailers(const Trailers& trailers) {
  for (const auto& [name, value] : trailers) guard_.examine(value, "trailer");
  if (guard_.refusal()) return fail("leak", guard_.refusal()->message);
  return {};
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
  std::erase_if(trailers, [&](const auto& trailer) { return request_.takes_the_place_of_trailer(trailer.first); });
  return trailers;
}

io::Task<bool> Exchange::fail_upstream(const Error& error) {
  if (end_ == "client_gone" || pump_ == PumpEnd::client_gone) {
    end_ = "client_gone";
    report_response();
    co_return false;
  }
  Refusal refusal{502, error.code, error.message, {}, {}};
  if (pump_ == PumpEnd::bad_body) refusal = {400, pump_error_.code, pump_error_.message, {}, {}};
  if (pump_ == PumpEnd::refused) refusal = refusal_for_preparing(pump_error_);
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
  const bool rest_known = client_.partly_read || client_.read_body;
  const bool framing_known = (!body_started || rest_known) && pump_ != PumpEnd::bad_body;
  if (!framing_known) {
    client_.head.body = {};
    client_.head.keep_alive = false;
  }
  co_return co_await refuse(gate_, client_, refusal, &admission_);
}

}  // namespace weir::proxy
