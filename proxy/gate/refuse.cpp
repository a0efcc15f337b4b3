#include <algorithm>

#include "base/ids.h"
#include "base/text.h"
#include "proxy/gate/deadlines.h"
#include "proxy/gate/exchange.h"

namespace weir::proxy {
namespace {

constexpr std::uint64_t kDrainBytes = 1U << 20;     // what is read of a refused request's body so that the connection may go on

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
    fields.text("host", gate.recordable(connection.host)).number("port", connection.port).text("path", gate.recordable(head.target.substr(0, head.target.find('?'))));
    fields.text("protocol", "http/1.1");
    if (!head.host.empty() && !equals_ignoring_case(head.host, connection.host)) fields.text("host_header", gate.recordable(head.host));
    if (!connection.server_name.empty() && connection.server_name != connection.host) fields.text("sni", gate.recordable(connection.server_name));
  }
  fields.text("verdict", refusal.status >= 500 ? "error" : "deny");
  if (!refusal.rule.empty()) fields.text("rule", refusal.rule);
  fields.text("code", refusal.code).text("reason", gate.recordable(refusal.message)).number("status", refusal.status);
  gate.keeper.report("egress.denied", fields);

  const bool body_left = head.body.kind != BodyLength::Kind::none && !connection.read_body;
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
  if (!head.method.empty() && body_left && !body_waits) {
    BodyDecoder fresh(head.body);
    BodyDecoder& decoder = connection.partly_read ? *connection.partly_read : fresh;
    const bool drained = co_await drain(gate, connection, decoder);
    if (!drained) go_on = false;
  }
  co_return go_on;
}

}  // namespace weir::proxy
