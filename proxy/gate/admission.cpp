#include "proxy/gate/admission.h"

#include <optional>

#include "base/ids.h"
#include "base/text.h"
#include "proxy/gate/connection.h"
#include "proxy/http1/host_port.h"
#include "proxy/http1/request_target.h"

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
  if (head.upgrade) {
    for (const auto& header : head.headers)
      if (equals_ignoring_case(header.name, "upgrade") && to_lower(header.value).find("websocket") != std::string::npos)
        return std::unexpected(Refusal{403, "websocket_refused", "WebSocket connections are not supported by this version", {}, {}});
  }

  admission.host = authority->host;
  admission.path = policy::canonical_path(target->path);
  admission.query = target->query;
  policy::Request request;
  request.scheme = connection.tls ? "https" : "http";
  request.host = admission.host;
  request.port = connection.port;
  request.method = head.method;
  request.path = &admission.path;
  admission.decision = gate.policy.decide(request);
  if (admission.decision.action == policy::Action::deny) return admission;
  // SECURITY: G1, an address that was dialled directly needs a rule that names it; `*` and a default do not.
  if (connection.literal && !gate.names_address(admission.host)) {
    admission.decision.action = policy::Action::deny;
    admission.decision.rule = nullptr;
    admission.decision.code = "no_rule";
    return admission;
  }
  gate.policy.credentials_for(request.scheme, request.host, request.port, admission.credentials);
  for (const auto index : admission.credentials) {
    if (!admission.credential_names.empty()) admission.credential_names += ",";
    admission.credential_names += gate.policy.document().credentials[index].name;
  }
  return admission;
}

void put_request_fields(events::Fields& fields, const Connection& connection, const Admission& admission) {
  fields.text("request", admission.id).text("method", connection.head.method).text("scheme", connection.tls ? "https" : "http");
  fields.text("host", admission.host).number("port", connection.port).text("path", admission.path.decoded);
  if (!admission.query.empty()) fields.number("query_bytes", static_cast<std::int64_t>(admission.query.size()));
  fields.text("protocol", "http/1.1");
}

}  // namespace weir::proxy
