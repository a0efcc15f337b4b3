// What an exchange does at a token endpoint (the policy's `oauth`): the answer is read as a whole, its tokens go to the keeper's
// vault, and the sandbox gets the placeholders. SECURITY: G2, G4: no token reaches the sandbox, kept or not.
#include <algorithm>

#include "base/text.h"
#include "proxy/credentials/token_answer.h"
#include "proxy/gate/deadlines.h"
#include "proxy/gate/exchange.h"
#include "proxy/http1/encoder.h"

namespace weir::proxy {
namespace {

constexpr std::size_t kLargestAnswer = 1U << 20;

std::string_view content_type_of(const ResponseHead& head) {
  for (const auto& header : head.headers)
    if (equals_ignoring_case(header.name, "content-type")) return header.value;
  return {};
}

}  // namespace

const policy::OAuthCapture* token_endpoint(const Connection& connection, const Admission& admission) {
  if (!connection.tls) return nullptr;
  for (const auto& capture : admission.policy->document().oauth)
    if (capture.host == admission.host && capture.port == connection.port && capture.path == admission.path.decoded) return &capture;
  return nullptr;
}

io::Task<Result<void>> Exchange::read_whole_answer(WipedText& body) {
  BodyDecoder decoder(response_.body);
  auto& inbound = upstream_->inbound;
  bool complete = response_.body.kind == BodyLength::Kind::none;
  while (!complete) {
    const auto step = decoder.decode(inbound.view());
    if (!step) co_return fail("upstream_protocol", "the token endpoint's answer is not valid HTTP/1.1");
    if (body.size() + step->payload.size() > kLargestAnswer) co_return fail("upstream_protocol", "the token endpoint's answer is too large to be one");
    body.append(step->payload);
    inbound.consume(step->consumed);
    complete = step->done;
    if (complete || (step->consumed > 0 && !inbound.empty())) continue;
    std::size_t got = 0;
    const auto space = inbound.space();
    const io::Outcome outcome = co_await upstream_->transport.read_some(space, progress(), got);
    if (outcome == io::Outcome::ok) {
      inbound.filled(got);
    } else if (outcome == io::Outcome::end && decoder.finish()) {
      complete = true;
    } else {
      co_return fail("upstream_reset", "the token endpoint broke off its answer");
    }
  }
  co_return Result<void>{};
}

io::Task<Result<void>> Exchange::catch_tokens(WipedText& body) {
  const auto& document = admission_.policy->document();
  std::vector<TokenPlace> places;
  for (const auto& [member, name] : capture_->keep) {
    const auto credential = std::ranges::find(document.credentials, name, &policy::Credential::name);
    const auto index = static_cast<std::uint32_t>(credential - document.credentials.begin());
    places.push_back({member, index, admission_.policy->credentials.placeholder(index)});
  }
  auto caught = proxy::catch_tokens(content_type_of(response_), body.view(), places);
  if (!caught) co_return std::unexpected(caught.error());
  if (!caught->tokens.empty()) {
    const auto endpoint = static_cast<std::uint32_t>(capture_ - document.oauth.data());
    auto kept = co_await gate_.keeper.keep_tokens(admission_.policy->generation, endpoint, caught->tokens);
    if (!kept) co_return kept;
  }
  body = std::move(caught->body);
  // What the sandbox may not see anywhere else in the answer either.
  auto prepared = co_await admission_.policy->credentials.prepare();
  if (!prepared) co_return prepared;
  mask_.look_for(admission_.policy->credentials.needles());
  co_return Result<void>{};
}

io::Task<bool> Exchange::answer_with_placeholders() {
  WipedText body;
  auto done = co_await read_whole_answer(body);
  if (done && client_.head.method != "HEAD") done = co_await catch_tokens(body);
  if (!done) {
    co_await stop_pump();
    upstream_.reset();
    co_return co_await fail_upstream(done.error());
  }
  response_bytes_count_ = body.size();
  masked_ += mask_.mask({body.data(), body.size()});
  const bool no_body = client_.head.method == "HEAD" || response_.status == 204 || response_.status == 304;
  if (!no_body) response_.body = {BodyLength::Kind::fixed, body.size()};
  serialise_response_head();
  response_started_ = true;
  if (!no_body) client_.out.append(body.view());
  const auto written = co_await client_.transport.write_all(client_.out, progress());
  client_.out.clear();
  if (written != io::Outcome::ok) end_ = "client_gone";
  const bool pump_was_running = pump_ == PumpEnd::running;
  co_await stop_pump();
  const bool request_complete = pump_ == PumpEnd::complete && !pump_was_running;
  upstream_.reset();  // a login is rare: its connection is not kept
  report_response();
  co_return written == io::Outcome::ok && request_complete && client_.head.keep_alive && !client_.head.http_1_0;
}

}  // namespace weir::proxy
