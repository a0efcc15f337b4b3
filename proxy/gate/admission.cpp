#include "proxy/gate/admission.h"

#include <ctime>
#include <optional>

#include "base/ids.h"
#include "base/text.h"
#include "proxy/gate/connection.h"
#include "proxy/gate/secret_mask.h"
#include "proxy/http1/host_port.h"
#include "proxy/http1/request_target.h"
#include "proxy/websocket/handshake.h"

namespace weir::proxy {
namespace {

struct Authority {
  std::string host;  // canonical
  std::uint16_t port = 0;  // 0: not given
};

std::optional<Authority> parse_authority(std::string_view text) {
  const auto parts = split_host_port(text);
  if (!parts || parts->port == 0) return std::nullopt;
  auto canonical = policy::canonical_host(parts->host);
  if (!canonical) return std::nullopt;
  return Authority{std::move(*canonical), parts->port.value_or(0)};
}

Refusal misdirected(std::string code, std::string message) {
  return {421, std::move(code), std::move(message), "use one name for the connection, the TLS server name and the Host header", {}};
}

std::string_view without_mark(std::string_view query) { return query.starts_with('?') ? query.substr(1) : query; }

std::int64_t seconds_since_1970() { return static_cast<std::int64_t>(std::time(nullptr)); }

std::string_view first_value(const RequestHead& head, std::string_view name) {
  for (const auto& header : head.headers)
    if (equals_ignoring_case(header.name, name)) return header.value;
  return {};
}

// SECURITY: G2, a secret that the sandbox knows from elsewhere does not come into the record.
std::string recordable(const Admission& admission, std::string_view text) {
  SecretMask mask;
  mask.look_for(admission.policy->credentials.needles());
  return mask.masked(text);
}

std::string read_problem(const Admission& admission) {
  const auto& body = admission.body;
  for (const auto* reading : {&body.graphql, &body.rpc})
    if (reading->state == policy::Reading::State::unreadable && !reading->problem.empty()) return " (" + reading->problem + ")";
  return {};
}

// Views into the connection's head and the admission.
policy::Request request_of(const Connection& connection, const Admission& admission) {
  const RequestHead& head = connection.head;
  policy::Request request;
  request.scheme = connection.tls ? "https" : "http";
  request.host = admission.host;
  request.port = connection.port;
  request.method = head.method;
  request.path = &admission.path;
  request.query = without_mark(admission.query);
  request.headers = head.headers;
  request.websocket = admission.websocket;
  if (head.body.kind == BodyLength::Kind::none) request.body_size = 0;
  if (head.body.kind == BodyLength::Kind::fixed) request.body_size = head.body.size;
  if (admission.body_read) request.body = &admission.body;
  request.now = seconds_since_1970();
  request.process = connection.executables;
  return request;
}

// SECURITY: G1, an address that was dialled directly needs a rule that names it; `*` and a default do not.
void refuse_unnamed_address(const PolicyInUse& policy, const Connection& connection, policy::Decision& decision) {
  if (decision.action == policy::Action::deny || !connection.literal || policy.names_address(connection.host, connection.port)) return;
  decision = policy::Decision{};
  decision.code = "no_rule";
}

// The only place in the proxy, with the two functions for what stays open, where the policy is asked. SECURITY: G8.
void decide(const Connection& connection, Admission& admission) {
  const auto request = request_of(connection, admission);
  admission.decision = admission.policy->policy.decide(request);
  refuse_unnamed_address(*admission.policy, connection, admission.decision);
  if (admission.decision.action == policy::Action::deny) return;
  admission.policy->policy.credentials_for(request.scheme, request.host, request.port, admission.credentials);
  admission.credential_names.clear();
  for (const auto index : admission.credentials) {
    if (!admission.credential_names.empty()) admission.credential_names += ",";
    admission.credential_names += admission.policy->document().credentials[index].name;
  }
}

}  // namespace

std::expected<Admission, Refusal> admit(Gate& gate, const Connection& connection) {
  const RequestHead& head = connection.head;
  Admission admission;
  admission.id = make_id("req");

  const auto target = parse_request_target(head.method, head.target);
  if (!target) return std::unexpected(Refusal{400, target.error().code, target.error().message, {}, {}});
  if (target->form == RequestTarget::Form::authority)
    return std::unexpected(Refusal{403, "connect_refused", "CONNECT is not needed here: connections reach weir by themselves",
                                   "take the proxy settings away; weir is transparent", {}});
  if (target->form == RequestTarget::Form::asterisk)
    return std::unexpected(Refusal{400, "bad_target", "the asterisk form of the request target is not forwarded", {}, {}});

  const auto authority = parse_authority(head.host);
  if (!authority) return std::unexpected(Refusal{400, "bad_host", "the Host header is not a host name or address with an optional port", {}, {}});
  // SECURITY: G8, the dialled address, SNI, Host and an absolute target must all name one host.
  if (target->form == RequestTarget::Form::absolute) {
    const auto in_target = parse_authority(target->authority);
    const std::uint16_t default_port = target->scheme == "https" ? 443 : 80;
    const auto or_default = [&](std::uint16_t port) { return port == 0 ? default_port : port; };
    if (!in_target || in_target->host != authority->host || or_default(in_target->port) != or_default(authority->port) ||
        (target->scheme == "https") != connection.tls)
      return std::unexpected(misdirected("target_mismatch", "the absolute request target and the connection do not name the same place"));
  }
  if (connection.tls && !connection.server_name.empty() && connection.server_name != connection.host)
    return std::unexpected(misdirected("sni_mismatch", "the TLS server name " + connection.server_name + " is not " + connection.host +
                                                           ", which was dialled"));
  if (authority->host != connection.host)
    return std::unexpected(misdirected("host_mismatch", "the Host header names " + authority->host + ", but " + connection.host + " was dialled"));
  if (authority->port != 0 && authority->port != connection.port)
    return std::unexpected(misdirected("host_mismatch", "the Host header names port " + std::to_string(authority->port) + ", but port " +
                                                            std::to_string(connection.port) + " was dialled"));
  admission.host = authority->host;
  admission.path = policy::canonical_path(target->path);
  admission.query = target->query;
  admission.websocket = head.upgrade && websocket::asks_for_websocket(head);  // any other upgrade is not taken up (RFC 9110 §7.8)
  admission.policy = gate.in_force;
  decide(connection, admission);
  return admission;
}

void decide_by_body(const Gate& gate, const Connection& connection, Admission& admission, std::string_view body, bool readable) {
  admission.policy = gate.in_force;
  const auto& head = connection.head;
  const std::string_view type = first_value(head, "content-type");
  const std::string_view encoding = first_value(head, "content-encoding");
  if (readable) {
    admission.body.graphql = policy::read_graphql(head.method, without_mark(admission.query), type, encoding, body);
    admission.body.rpc = policy::read_jsonrpc(type, encoding, body);
  } else {
    const policy::Reading unreadable{policy::Reading::State::unreadable, {}, "it is larger than limits.inspected_body, or broken"};
    admission.body = {unreadable, unreadable};
  }
  admission.body_read = true;
  decide(connection, admission);
}

policy::Decision decide_again(const PolicyInUse& policy, const Connection& connection, const Admission& admission) {
  const auto request = request_of(connection, admission);
  auto decision = policy.policy.decide(request);
  refuse_unnamed_address(policy, connection, decision);
  return decision;
}

Admission admit_tunnel(Gate& gate, const Connection& connection, std::string_view scheme) {
  Admission admission;
  admission.policy = gate.in_force;
  admission.id = make_id("req");
  admission.host = connection.host;
  admission.tunnel = scheme;
  admission.decision = decide_tunnel_again(*admission.policy, connection, scheme);
  return admission;
}

policy::Decision decide_tunnel_again(const PolicyInUse& policy, const Connection& connection, std::string_view scheme) {
  policy::Request request;
  request.scheme = scheme;
  request.host = connection.host;
  request.port = connection.port;
  request.now = seconds_since_1970();
  request.process = connection.executables;
  auto decision = policy.policy.decide(request);
  refuse_unnamed_address(policy, connection, decision);
  return decision;
}

Refusal refusal_for(const Connection& connection, const Admission& admission) {
  const auto& decision = admission.decision;
  const auto& head = connection.head;
  Refusal refusal{403, std::string(decision.code.empty() ? "rule_denies" : decision.code), {}, {}, {}};
  if (decision.rule != nullptr) refusal.rule = decision.rule->name;
  std::string what = head.method.empty() ? "a connection to " + admission.host + " port " + std::to_string(connection.port)
                                         : std::string(head.method) + " " + admission.path.decoded + " on " + admission.host;
  if (admission.websocket) what = "a WebSocket at " + admission.path.decoded + " on " + admission.host;
  if (decision.operation != nullptr)
    what += " (" + decision.operation->kind + (decision.operation->name.empty() ? "" : " ") + decision.operation->name + ")";
  if (refusal.code == "no_rule") {
    refusal.message = "no rule allows " + what;
    refusal.how_to_allow = "add a rule with hosts: [" + admission.host + "]" +
                           (head.method.empty() ? "" : " and methods: [" + std::string(head.method) + "]") +
                           (admission.websocket ? " and websocket: true" : "") + " to the policy";
    if (head.method.empty()) refusal.how_to_allow = "add a rule with tcp: [\"" + admission.host + ":" + std::to_string(connection.port) + "\"] to the policy";
  } else if (refusal.code == "rule_denies") {
    refusal.message = "the rule `" + refusal.rule + "` denies " + what;
    refusal.how_to_allow = "change or remove that rule in the policy";
  } else {
    refusal.message = what + ": " + std::string(policy::reason_for(refusal.code));
    if (refusal.code == "encoded_slash") refusal.how_to_allow = "set `encoded_slash: allow` on the rule";
    if (refusal.code == "body_unreadable") refusal.message += read_problem(admission);
    if (refusal.code == "body_too_large") refusal.status = 413;
  }
  return refusal;
}

void put_request_fields(events::Fields& fields, const Connection& connection, const Admission& admission) {
  if (!admission.tunnel.empty()) {
    fields.text("request", admission.id).text("scheme", admission.tunnel).text("host", recordable(admission, admission.host)).number("port", connection.port);
    fields.text("protocol", admission.tunnel == "tls" ? "tls-passthrough" : "tcp");
    put_process(fields, connection);
    return;
  }
  fields.text("request", admission.id).text("method", connection.head.method).text("scheme", connection.tls ? "https" : "http");
  fields.text("host", recordable(admission, admission.host)).number("port", connection.port).text("path", recordable(admission, admission.path.decoded));
  if (!admission.query.empty()) fields.number("query_bytes", static_cast<std::int64_t>(admission.query.size()));
  fields.text("protocol", admission.websocket ? "websocket" : "http/1.1");
  if (const auto* operation = admission.decision.operation; operation != nullptr) {
    fields.text("operation", operation->kind);
    if (!operation->name.empty()) fields.text("operation_name", operation->name);
  } else if (!admission.tokens.empty()) {
    fields.text("operation", "token").text("operation_name", admission.tokens);
  }
  put_process(fields, connection);
}

void put_process(events::Fields& fields, const Connection& connection) {
  if (connection.executables.empty()) return;
  std::string all;
  for (const auto& executable : connection.executables) all += (all.empty() ? "" : ",") + executable;
  fields.text("process", all);
}

}  // namespace weir::proxy
