#include "proxy/gate/hold.h"

#include "proxy/gate/deadlines.h"
#include "proxy/gate/outgoing_request.h"
#include "proxy/http1/encoder.h"

namespace weir::proxy {

io::Task<bool> gather_body(Gate& gate, Connection& connection, std::uint64_t limit) {
  const RequestHead& head = connection.head;
  if (connection.read_body) co_return true;
  std::string body;
  bool complete = head.body.kind == BodyLength::Kind::none;
  bool hopeless = head.body.kind == BodyLength::Kind::fixed && head.body.size > limit;
  BodyDecoder decoder(head.body);
  if (!complete && !hopeless && head.expect_continue && connection.inbound.empty()) {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    const auto written = co_await connection.transport.write_all(kContinue, gate.loop.in(kProgressMs));
    hopeless = written != io::Outcome::ok;
  }
  bool started = false;
  bool at_its_end = false;  // too large by its last piece: nothing is left of it
  while (!complete && !hopeless) {
    const auto step = decoder.decode(connection.inbound.view());
    started = true;
    if (!step) break;
    const bool fits = body.size() + step->payload.size() <= limit;
    if (fits) body.append(step->payload);
    connection.inbound.consume(step->consumed);
    if (!fits) {
      at_its_end = step->done;
      break;
    }
    complete = step->done;
    if (complete || (step->consumed > 0 && !connection.inbound.empty())) continue;
    std::size_t got = 0;
    const auto space = connection.inbound.space();
    const auto reading = co_await connection.transport.read_some(space, gate.loop.in(kProgressMs), got);
    if (reading != io::Outcome::ok) break;
    connection.inbound.filled(got);
  }
  if (complete) {
    connection.read_body = std::move(body);
    connection.head.expect_continue = false;
    if (head.body.kind == BodyLength::Kind::chunked) connection.head.body = {BodyLength::Kind::fixed, connection.read_body->size()};
  } else if (at_its_end) {
    connection.read_body.emplace();
  } else if (started) {
    connection.partly_read.emplace(std::move(decoder));
  }
  co_return complete;
}

io::Task<void> inspect_body(Gate& gate, Connection& connection, Admission& admission) {
  const bool complete = co_await gather_body(gate, connection, admission.policy->limits().inspected_body);
  static const std::string kNothing;
  decide_by_body(gate, connection, admission, complete ? *connection.read_body : kNothing, complete);
}

io::Task<std::expected<void, Refusal>> examine(Gate& gate, Connection& connection, Admission& admission, LeakGuard& guard) {
  using Passed = std::expected<void, Refusal>;
  if (admission.decision.action == policy::Action::deny) co_return Passed{};
  if (needs_whole_body(connection, admission)) {
    const bool complete = co_await gather_body(gate, connection, admission.policy->limits().inspected_body);
    // Of a body without a length more may have come than can be kept; what was read of it cannot be sent on.
    if (!complete && (connection.partly_read || connection.read_body))
      co_return Passed(std::unexpect, Refusal{413, "body_too_large", "the request's body has to be read as a whole, and is larger than limits.inspected_body",
                                              "raise limits.inspected_body in the policy", {}});
  }
  guard.examine_name();
  guard.examine_head();
  guard.examine_encoding();
  if (const auto body = connection.whole_body()) guard.examine_body(*body);
  if (guard.refusal()) co_return Passed(std::unexpect, *guard.refusal());
  admission.tokens = guard.to_be_asked();
  if (!admission.tokens.empty() && admission.decision.action != policy::Action::ask) {
    admission.decision.action = policy::Action::ask;
    admission.decision.rule = nullptr;
  }
  co_return Passed{};
}

namespace {

Refusal not_approved(const KeeperLink::Answer& answer, const Admission& admission, const Connection& connection) {
  Refusal refusal = refusal_for(connection, admission);
  refusal.code = answer.verdict == Verdict::expired ? "approval_expired" : "approval_denied";
  refusal.message = answer.verdict == Verdict::expired ? "nobody approved this request in time" : "this request was not approved";
  if (!answer.text.empty()) refusal.message += " (" + answer.text + ")";
  refusal.how_to_allow = "ask the user to approve it (`weir approvals`), then try again";
  return refusal;
}

}  // namespace

io::Task<std::expected<void, Refusal>> may_pass(Gate& gate, Connection& connection, Admission& admission) {
  using Passed = std::expected<void, Refusal>;
  if (admission.decision.action == policy::Action::deny) {
    auto refusal = refusal_for(connection, admission);
    co_return Passed(std::unexpect, std::move(refusal));
  }
  const policy::Rule* used_up = nullptr;
  if (!admission.policy->count_request(admission.decision, gate.loop.now(), used_up)) {
    Refusal refusal{429, "rate_limited", "more requests than limits.requests_per_minute allows", "raise limits.requests_per_minute in the policy", {}};
    if (used_up != nullptr)
      refusal = {429, "rate_exceeded", "more requests than the rate of rule `" + used_up->name + "` allows", "wait, or raise the rule's `rate` in the policy",
                 used_up->name};
    co_return Passed(std::unexpect, std::move(refusal));
  }
  if (admission.decision.action != policy::Action::ask) co_return Passed{};

  const auto& document = admission.policy->document();
  events::Fields fields;
  put_request_fields(fields, connection, admission);
  const std::uint32_t rule =
      admission.decision.rule == nullptr ? kNoRule : static_cast<std::uint32_t>(admission.decision.rule - document.rules.data());
  const std::uint64_t wait_ms = document.limits.approval_seconds * 1000ULL + 10'000;  // the keeper counts; this is for one that hangs
  KeeperLink::Call call;
  // An agent that stops waiting takes its request back; whoever decides sees that nobody waits.
  // A client in the clear may have closed its sending side only (RFC 9112 §9.6), and waits.
  if (connection.tls) connection.transport.descriptor().on_hang_up([&call] { call.withdraw(); });
  auto answer = co_await gate.keeper.approval(admission.policy->generation, rule, fields, wait_ms, call);
  connection.transport.descriptor().on_hang_up({});
  if (answer.verdict == Verdict::granted) {
    // People take their time: what another policy has come to deny meanwhile does not pass (docs/policy.md, Reload).
    if (gate.in_force == admission.policy || !admission.tunnel.empty()) co_return Passed{};
    auto now = decide_again(*gate.in_force, connection, admission);
    if (now.action != policy::Action::deny) co_return Passed{};
    admission.policy = gate.in_force;
    admission.decision = std::move(now);
    auto refusal = refusal_for(connection, admission);
    co_return Passed(std::unexpect, std::move(refusal));
  }
  auto refusal = not_approved(answer, admission, connection);
  co_return Passed(std::unexpect, std::move(refusal));
}

}  // namespace weir::proxy
