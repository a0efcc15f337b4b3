#include "proxy/gate/exchange.h"

#include <algorithm>

#include "base/ids.h"
#include "base/text.h"
#include "proxy/gate/deadlines.h"
#include "proxy/http1/encoder.h"

namespace weir::proxy {
namespace {

constexpr std::size_t kInlineBody = 16 * 1024;      // a body that is there already and no larger goes out with its head
constexpr std::uint64_t kDrainBytes = 1U << 20;     // what is read of a refused request's body so that the connection may go on
constexpr std::uint64_t kDrainMs = 3'000;
constexpr HeadLimits kResponseLimits{256U * 1024, 500};

bool is_idempotent(std::string_view method) {  // RFC 9110 §9.2.2
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" || method == "OPTIONS" || method == "TRACE";
}

bool is_encoded(const ResponseHead& head) {
  return std::any_of(head.headers.begin(), head.headers.end(), [](const Header& header) {
    return equals_ignoring_case(header.name, "content-encoding") && !equals_ignoring_case(header.value, "identity");
  });
}

// Reads and drops what is left of a request's body. True when all of it came.
io::Task<bool> drain(Gate& gate, Connection& connection, BodyDecoder& decoder) {
  const io::Deadline deadline = gate.loop.in(kDrainMs);
  std::uint64_t dropped = 0;
  for (;;) {
    const auto step = decoder.decode(connection.inbound.view());
    if (!step) co_return false;
    connection.inbound.consume(step->consumed);
    dropped += step->payload.size();
    if (step->done) co_return true;
    if (dropped > kDrainBytes) co_return false;
    if (step->consumed > 0 && !connection.inbound.empty()) continue;
    std::size_t got = 0;
    const auto space = connection.inbound.space();
    const auto reading = co_await connection.transport.read_some(space, deadline, got);
    if (reading != io::Outcome::ok) co_return false;
    connection.inbound.filled(got);
  }
}

}  // namespace

io::Task<bool> refuse(Gate& gate, Connection& connection, const Refusal& refusal, const Admission* admission) {
  const RequestHead& head = connection.head;
  events::Fields fields;
  if (admission != nullptr) {
    put_request_fields(fields, connection, *admission);
  } else {
    fields.text("request", make_id("req")).text("method", head.method).text("scheme", connection.tls ? "https" : "http");
    fields.text("host", connection.host).number("port", connection.port).text("path", head.target.substr(0, head.target.find('?')));
    fields.text("protocol", "http/1.1");
    if (!head.host.empty() && !equals_ignoring_case(head.host, connection.host)) fields.text("host_header", head.host);
    if (!connection.server_name.empty() && connection.server_name != connection.host) fields.text("sni", connection.server_name);
  }
  fields.text("verdict", refusal.status >= 500 ? "error" : "deny");
  if (!refusal.rule.empty()) fields.text("rule", refusal.rule);
  fields.text("code", refusal.code).text("reason", refusal.message).number("status", refusal.status);
  gate.keeper.report("egress.denied", fields);

  const bool body_waits = head.expect_continue && connection.inbound.empty();  // it was never sent (RFC 9110 §10.1.1)
  bool go_on = head.keep_alive && !connection.head.http_1_0 && !head.method.empty() && !body_waits;
  RefusedRequest request{connection.tls ? "https" : "http", connection.host, head.method, {}, connection.port};
  std::string path;
  if (admission != nullptr) {
    request.path = admission->path.decoded;
  } else {
    path = head.target.substr(0, head.target.find('?'));
    request.path = path;
  }
  const std::string answer = render(refusal, request, head.method == "HEAD", !go_on);
  const auto written = co_await connection.transport.write_all(answer, gate.loop.in(kProgressMs));
  if (written != io::Outcome::ok) co_return false;
  // A client that is still sending would get a reset instead of the answer if weir closed now: take the rest first.
  if (!head.method.empty() && head.body.kind != BodyLength::Kind::none && !body_waits) {
    BodyDecoder decoder(head.body);
    const bool drained = co_await drain(gate, connection, decoder);
    if (!drained) go_on = false;
  }
  co_return go_on;
}

Exchange::Exchange(Gate& gate, Connection& connection, Admission admission)
    : gate_(gate), client_(connection), admission_(std::move(admission)), destination_(connection.destination),
      response_bytes_(connection.response_bytes), response_(connection.response), pump_ended_(gate.loop), progress_ms_(kProgressMs) {
  response_.status = 0;
}

io::Task<Result<void>> Exchange::fetch_secrets() {
  for (const auto index : admission_.credentials) {
    auto secret = co_await gate_.keeper.secret(index);
    if (!secret) {
      const auto& name = gate_.policy.document().credentials[index].name;
      co_return fail("credential_unavailable", "the credential `" + name + "` cannot be had: " + secret.error().message);
    }
    secrets_.emplace_back(index, *secret);
    mask_.add((*secret)->reveal());
  }
  co_return Result<void>{};
}

io::Task<bool> Exchange::run() {
  started_ns_ = uv_hrtime();
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

  body_inline_ = client_.head.body.kind == BodyLength::Kind::none ||
                 (client_.head.body.kind == BodyLength::Kind::fixed && client_.head.body.size <= kInlineBody &&
                  client_.head.body.size <= client_.inbound.size());
  for (bool fresh = false;; fresh = true) {
    if (!fresh) upstream_ = gate_.pool.take_idle(destination_);
    if (upstream_ == nullptr) {
      auto connected = co_await gate_.pool.connect(destination_);
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
  if (body_inline_ && client_.head.body.kind == BodyLength::Kind::fixed) client_.inbound.consume(client_.head.body.size);
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
  const auto& credentials = gate_.policy.document().credentials;
  for (const auto& header : head.headers) {
    if (hop_by_hop.drops(header.name)) continue;
    if (equals_ignoring_case(header.name, "host") || equals_ignoring_case(header.name, "expect")) continue;
    // A compressed answer could reflect a secret unseen (SECURITY: G2): one that carries a credential asks for a plain one.
    if (!secrets_.empty() && equals_ignoring_case(header.name, "accept-encoding")) continue;
    // What the client sent in the place of a credential is dropped, so there is one value and it is weir's.
    const bool replaced = std::any_of(secrets_.begin(), secrets_.end(), [&](const auto& secret) {
      return equals_ignoring_case(header.name, credentials[secret.first].inject.header);
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
    append_header(out, inject.header, value);
    wipe(value.data(), value.size());
  }
  append_body_length(out, head.body);
  append_end_of_head(out);
  if (with_body) out.append(client_.inbound.view().substr(0, head.body.size));
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
  const std::uint64_t limit = gate_.policy.document().limits.request_body;
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

io::Task<Result<void>> Exchange::read_response_head() {
  const io::Deadline deadline = gate_.loop.in(kResponseHeadMs);
  auto& inbound = upstream_->inbound;
  for (;;) {
    std::size_t scanned = 0;
    for (;;) {
      const auto size = inbound.empty() ? Result<std::size_t>(0) : find_head(inbound.view(), kResponseLimits, scanned);
      if (!size) co_return fail("upstream_protocol", "the upstream's answer is not valid HTTP/1.1: " + size.error().code);
      if (*size != 0) {
        response_bytes_.assign(inbound.view().substr(0, *size));
        inbound.consume(*size);
        break;
      }
      const auto space = inbound.space();
      const io::IoResult got = upstream_->transport.try_read(space);
      io::Wake wake = io::Wake::ready;
      if (got.status == io::IoStatus::ok) {
        upstream_spoke_ = true;
        inbound.filled(got.size);
        continue;
      }
      if (got.status == io::IoStatus::again) {
        wake = co_await upstream_->transport.descriptor().readable(deadline);
      } else if (got.status == io::IoStatus::want_write) {
        wake = co_await upstream_->transport.descriptor().writable(deadline);
      } else {
        co_return fail("upstream_reset", "the upstream closed the connection without an answer");
      }
      if (wake == io::Wake::timeout) co_return fail("upstream_timeout", "the upstream did not answer in time");
      if (wake == io::Wake::closed) co_return fail("upstream_reset", "the connection to the upstream was closed");
    }
    thread_local HeadParser parser;
    const auto parsed = parser.response(response_bytes_, client_.head.method, kResponseLimits, response_);
    if (!parsed) co_return fail("upstream_protocol", "the upstream's answer is not valid HTTP/1.1: " + parsed.error().message);
    if (response_.status == 101) co_return fail("upstream_protocol", "the upstream switched protocols although nobody asked");
    if (mask_.active() && response_.body.kind != BodyLength::Kind::none && is_encoded(response_))
      co_return fail("response_encoded", "the upstream compressed its answer to a request with a credential although it was asked not to, so weir cannot look for the credential in it");
    if (response_.status >= 200) break;  // 1xx are between the upstream and weir (RFC 9110 §15.2)
  }
  first_byte_ns_ = uv_hrtime();
  co_return Result<void>{};
}

void Exchange::serialise_response_head() {
  std::string& out = client_.out;
  out.clear();
  std::string masked(response_.reason);
  masked_ += mask_.mask(masked);
  append_status_line(out, response_.status, masked);
  const HopByHop hop_by_hop(response_.headers);
  for (const auto& header : response_.headers) {
    if (hop_by_hop.drops(header.name)) continue;
    // HTTP/3 is not to be had in here; a client that tried would only lose time.
    if (equals_ignoring_case(header.name, "alt-svc")) continue;
    if (mask_.active()) {
      masked.assign(header.value);
      masked_ += mask_.mask(masked);
      append_header(out, header.name, masked);
    } else {
      append_header(out, header.name, header.value);
    }
  }
  to_client_ = response_.body;
  if (to_client_.kind == BodyLength::Kind::until_close) to_client_.kind = BodyLength::Kind::chunked;
  if (client_.head.http_1_0 && to_client_.kind == BodyLength::Kind::chunked) to_client_.kind = BodyLength::Kind::until_close;
  const bool no_body = client_.head.method == "HEAD" || response_.status == 204 || response_.status == 304;
  if (no_body) {
    // The length that a GET would have had may be said (RFC 9110 §8.6); it is a header like others here.
    for (const auto& header : response_.headers)
      if (client_.head.method == "HEAD" && equals_ignoring_case(header.name, "content-length")) append_header(out, "content-length", header.value);
  } else if (to_client_.kind == BodyLength::Kind::none) {
    append_body_length(out, {BodyLength::Kind::fixed, 0});
  } else if (to_client_.kind != BodyLength::Kind::until_close) {
    append_body_length(out, to_client_);
  }
  if (!client_.head.keep_alive || client_.head.http_1_0) append_header(out, "connection", "close");
  append_end_of_head(out);
}

Exchange::Trailers Exchange::masked_trailers(Trailers trailers) {
  for (auto& [name, value] : trailers) masked_ += mask_.mask(value);
  return trailers;
}

// SECURITY: G2, a trailer must not stand where weir's own header stands.
Exchange::Trailers Exchange::allowed_trailers(Trailers trailers) const {
  const auto& credentials = gate_.policy.document().credentials;
  std::erase_if(trailers, [&](const auto& trailer) {
    return std::any_of(credentials.begin(), credentials.end(), [&](const auto& one) { return equals_ignoring_case(trailer.first, one.inject.header); });
  });
  return trailers;
}

// Sends a piece of the response's body (with the head in client_.out before it, the first time), masked and framed anew.
// `payload` points into the upstream's buffer. False: the client is gone.
io::Task<bool> Exchange::write_payload(std::string_view payload, bool last) {
  std::string& out = client_.out;
  std::string joined;
  if (mask_.active()) {
    if (!carry_.empty()) {
      joined = carry_ + std::string(payload);
      carry_.clear();
      masked_ += mask_.mask(joined);
      payload = joined;
    } else {
      // The buffer is ours; the view is const only for the decoder's sake.
      masked_ += mask_.mask({const_cast<char*>(payload.data()), payload.size()});
    }
    if (!last) {
      const std::size_t held = mask_.incomplete(payload);
      carry_.assign(payload.substr(payload.size() - held));
      payload.remove_suffix(held);
    }
  }
  const bool chunked = to_client_.kind == BodyLength::Kind::chunked;
  io::Outcome written = io::Outcome::ok;
  if (out.empty() && !chunked) {
    if (!payload.empty()) written = co_await client_.transport.write_all(payload, progress());
    co_return written == io::Outcome::ok;
  }
  if (chunked && !payload.empty()) append_chunk_prefix(out, payload.size());
  out.append(payload);
  if (chunked && !payload.empty()) out.append("\r\n");
  if (out.empty()) co_return true;
  const io::IoResult at_once = client_.transport.try_write(out);
  if (at_once.status != io::IoStatus::ok || at_once.size < out.size()) {
    const std::size_t done = at_once.status == io::IoStatus::ok ? at_once.size : 0;
    written = co_await client_.transport.write_all(std::string_view(out).substr(done), progress());
  }
  out.clear();
  co_return written == io::Outcome::ok;
}

io::Task<bool> Exchange::stream_response() {
  serialise_response_head();
  response_started_ = true;
  BodyDecoder decoder(response_.body);
  auto& inbound = upstream_->inbound;
  const std::uint64_t limit = gate_.policy.document().limits.response_body;
  const bool has_body = response_.body.kind != BodyLength::Kind::none;
  bool complete = !has_body;
  bool client_ok = true;
  if (!has_body) client_ok = co_await write_payload({}, true);
  if (client_.tls && has_body) {
    client_.transport.descriptor().on_hang_up([this] {
      end_ = "client_gone";
      if (upstream_ != nullptr) upstream_->transport.descriptor().close();
    });
  }
  while (has_body && client_ok) {
    // An empty buffer is not decoded but at the start: a body of size 0 is complete without a byte.
    const auto step = decoder.decode(inbound.view());
    if (!step) {
      end_ = "upstream_protocol";
      break;
    }
    response_bytes_count_ += step->payload.size();
    if (response_bytes_count_ > limit) {
      end_ = "response_too_large";
      break;
    }
    if (step->done && to_client_.kind == BodyLength::Kind::chunked) {
      // The last piece and the end of the body in one write.
      client_ok = co_await write_payload(step->payload, true);
      client_.out.clear();
      append_last_chunk(client_.out, masked_trailers(decoder.trailers()));
      if (client_ok) {
        const auto ending = co_await client_.transport.write_all(client_.out, progress());
        client_ok = ending == io::Outcome::ok;
      }
      client_.out.clear();
    } else {
      client_ok = co_await write_payload(step->payload, step->done);
    }
    inbound.consume(step->consumed);
    if (!client_ok) break;
    if (step->done) {
      complete = true;
      break;
    }
    if (step->consumed > 0 && !inbound.empty()) continue;
    std::size_t got = 0;
    const auto space = inbound.space();
    const io::Outcome outcome = co_await upstream_->transport.read_some(space, progress(), got);
    if (outcome == io::Outcome::ok) {
      inbound.filled(got);
      continue;
    }
    // Plain HTTP may end an unframed body with the connection; over TLS that takes a close_notify, or it may be a truncation.
    if (outcome == io::Outcome::end && decoder.finish()) {
      client_ok = co_await write_payload({}, true);
      if (client_ok && to_client_.kind == BodyLength::Kind::chunked) {
        client_.out.clear();
        append_last_chunk(client_.out, {});
        {
        const auto ending = co_await client_.transport.write_all(client_.out, progress());
        client_ok = ending == io::Outcome::ok;
      }
        client_.out.clear();
      }
      complete = client_ok;
      break;
    }
    if (end_ == "complete") end_ = outcome == io::Outcome::timeout ? "upstream_timeout" : "upstream_reset";
    break;
  }
  client_.transport.descriptor().on_hang_up({});
  if (!client_ok) end_ = "client_gone";

  const bool pump_was_running = pump_ == PumpEnd::running;
  co_await stop_pump();
  const bool request_complete = pump_ == PumpEnd::complete && !pump_was_running;
  if (complete && request_complete && response_.keep_alive && response_.body.kind != BodyLength::Kind::until_close)
    gate_.pool.give_back(std::move(upstream_));
  report_response();
  if (!complete || !client_ok) {
    // SECURITY: a cut response must look cut: no last chunk, no close_notify.
    client_.transport.descriptor().close();
    co_return false;
  }
  co_return request_complete && client_.head.keep_alive && !client_.head.http_1_0 && to_client_.kind != BodyLength::Kind::until_close;
}

void Exchange::report_response() {
  events::Fields fields;
  fields.reserve(320);
  fields.text("request", admission_.id).text("host", admission_.host).number("status", response_.status);
  fields.number("bytes_out", static_cast<std::int64_t>(request_bytes_)).number("bytes_in", static_cast<std::int64_t>(response_bytes_count_));
  fields.number("ttfb_us", static_cast<std::int64_t>((first_byte_ns_ - started_ns_) / 1000));
  fields.number("total_us", static_cast<std::int64_t>((uv_hrtime() - started_ns_) / 1000));
  if (upstream_ != nullptr) fields.text("upstream", upstream_->address);
  fields.text("end", end_);
  gate_.keeper.report("egress.response", fields);
  if (masked_ > 0) {
    events::Fields reflected;
    reflected.text("request", admission_.id).text("credential", admission_.credential_names).text("host", admission_.host);
    reflected.number("count", static_cast<std::int64_t>(masked_));
    gate_.keeper.report("credential.reflected", reflected);
  }
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
  if (error.code == "upstream_timeout") refusal.status = 504;
  if (error.code == "address_not_named") {
    refusal.status = 403;
    refusal.how_to_allow = "name the address in the rule's `addresses`, or fix it in `upstream.resolve`";
  }
  // The body, or a part of it, has been read by the pump: only the exchange knows where it stands, so the connection ends.
  const bool body_started = !body_inline_ && request_bytes_ > 0;
  if (body_inline_ && client_.head.body.kind == BodyLength::Kind::fixed && !response_started_) {
    client_.inbound.consume(client_.head.body.size);
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
