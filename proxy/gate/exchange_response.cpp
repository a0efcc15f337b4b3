// The second half of an exchange: the upstream's answer, checked, masked, framed anew, and streamed to the client.
#include <algorithm>
#include <optional>

#include "base/text.h"
#include "proxy/gate/deadlines.h"
#include "proxy/gate/exchange.h"
#include "proxy/gate/tunnel.h"
#include "proxy/http1/encoder.h"

namespace weir::proxy {
namespace {

constexpr HeadLimits kResponseLimits{256U * 1024, 500};

bool is_encoded(const ResponseHead& head) {
  return std::any_of(head.headers.begin(), head.headers.end(), [](const Header& header) {
    return equals_ignoring_case(header.name, "content-encoding") && !equals_ignoring_case(header.value, "identity");
  });
}

bool is_event_stream(const ResponseHead& head) {
  return std::any_of(head.headers.begin(), head.headers.end(), [](const Header& header) {
    return equals_ignoring_case(header.name, "content-type") &&
           equals_ignoring_case(trim(header.value.substr(0, header.value.find(';'))), "text/event-stream");
  });
}

}  // namespace

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
    if (response_.status == 101 && !admission_.websocket) co_return fail("upstream_protocol", "the upstream switched protocols although nobody asked");
    if (request_.wants_plain_answer() && response_.body.kind != BodyLength::Kind::none && is_encoded(response_))
      co_return fail("response_encoded", "the upstream compressed its answer to a request with a credential although it was asked not to, so weir cannot look for the credential in it");
    if (response_.status >= 200 || response_.status == 101) break;  // 1xx are between the upstream and weir (RFC 9110 §15.2)
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
  const std::uint64_t limit = admission_.policy->limits().response_body;
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
  // A stream of events has no end of its own: a policy that would refuse it now ends it (docs/policy.md, Reload).
  std::optional<OpenTunnel> stream;
  if (is_event_stream(response_)) {
    stream.emplace(gate_, [this](const PolicyInUse& policy) { return decide_again(policy, client_, admission_); },
                   admission_.decision.action == policy::Action::ask);
    stream->on_cut([this] {
      end_ = "cut";
      if (upstream_ != nullptr) upstream_->transport.descriptor().close();
    });
    if (gate_.in_force != admission_.policy && !stream->may_go_on(*gate_.in_force)) stream->cut("the policy was changed and no longer allows it");
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
  stream.reset();

  const bool pump_was_running = pump_ == PumpEnd::running;
  co_await stop_pump();
  const bool request_complete = pump_ == PumpEnd::complete && !pump_was_running;
  if (complete && request_complete && response_.keep_alive && response_.body.kind != BodyLength::Kind::until_close)
    admission_.policy->pool.give_back(std::move(upstream_));
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
  if (first_byte_ns_ != 0) fields.number("ttfb_us", static_cast<std::int64_t>((first_byte_ns_ - started_ns_) / 1000));
  fields.number("total_us", static_cast<std::int64_t>((uv_hrtime() - started_ns_) / 1000));
  if (upstream_ != nullptr) fields.text("upstream", upstream_->address);
  fields.text("end", end_);
  if (guard_.unsearched()) fields.flag("unsearched", true);
  gate_.keeper.report("egress.response", fields);
  report_reflected();
}

void Exchange::report_reflected() {
  if (masked_ == 0) return;
  events::Fields reflected;
  reflected.text("request", admission_.id).text("credential", admission_.credential_names).text("host", admission_.host);
  reflected.number("count", static_cast<std::int64_t>(masked_));
  gate_.keeper.report("credential.reflected", reflected);
}

}  // namespace weir::proxy
