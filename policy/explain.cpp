#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/text.h"
#include "policy/matching/compiled_policy.h"
#include "policy/matching/coverage.h"

namespace weir::policy {

namespace {

std::string missed_host(const Rule& rule, std::string_view host) {
  std::vector<std::string> names;
  for (const auto& pattern : rule.hosts) names.push_back(to_text(pattern));
  return fmt::format("host {} is not in [{}]", host, fmt::join(names, ", "));
}

std::string missed_port(const Rule& rule, std::string_view host, std::uint16_t port) {
  std::vector<std::uint16_t> ports;
  for (const auto& pattern : rule.hosts) {
    if (!matches_host(pattern, host, rule.action == Action::deny)) continue;
    const auto pattern_ports = ports_of(pattern, rule.ports);
    ports.insert(ports.end(), pattern_ports.begin(), pattern_ports.end());
  }
  std::ranges::sort(ports);
  ports.erase(std::ranges::unique(ports).begin(), ports.end());
  return fmt::format("port {} is not in [{}]", port, fmt::join(ports, ", "));
}

// What the request has under that name, for the sentence.
std::string values_of(const std::vector<std::string>& values, std::string_view what, const NamedGlob& wanted) {
  if (values.empty()) return fmt::format("there is no {} `{}`", what, wanted.name);
  return fmt::format("{} `{}` is {}, not {}", what, wanted.name, printable(fmt::format("{}", fmt::join(values, ", ")), 120), wanted.glob);
}

std::string missed_tunnel(const Rule& rule, const Asked& asked) {
  if (rule.tcp) return "the rule is for raw connections, and this is a request";
  if (rule.passthrough) return asked.tunnel ? "the connection is not TLS" : "the rule is for TLS that is not opened, and this is a request in the clear";
  return "the rule is for requests, and this connection is carried unread (`tcp` or `tls: passthrough` opens one)";
}

std::string missed_body(const Rule& rule, const Asked& asked, bool rpc) {
  const std::string_view format = rpc ? (rule.rpc && rule.rpc->mcp ? "MCP" : "JSON-RPC") : "GraphQL";
  const Body* body = asked.request.body;
  if (body == nullptr) return fmt::format("the rule needs the body as {}, and there is none here", format);
  const Reading& reading = rpc ? body->rpc : body->graphql;
  if (reading.state == Reading::State::absent) return fmt::format("the request has nothing of {} in it", format);
  if (reading.state == Reading::State::unreadable)
    return fmt::format("the body cannot be read as {}: {}", format, printable(reading.problem, 120));
  if (asked.operation == nullptr) return fmt::format("the request has no {} operation", format);
  const auto& operation = *asked.operation;
  if (rpc) return fmt::format("the call {}{}{} is not listed", printable(operation.kind, 80), operation.name.empty() ? "" : " of ", printable(operation.name, 80));
  return fmt::format("the {} of {} is not listed", operation.kind, printable(operation.name, 80));
}

std::string missed(const Rule& rule, const Asked& asked, const Evaluation& evaluation) {
  const Request& request = asked.request;
  const bool doubt = evaluation.result == Evaluation::Result::doubt;
  switch (evaluation.condition) {
    case Condition::none:
    case Condition::port:
      return {};
    case Condition::tunnel:
      return doubt ? "it looks at requests, and this connection is carried unread" : missed_tunnel(rule, asked);
    case Condition::websocket:
      return request.websocket ? "it is a WebSocket handshake, and the rule does not say `websocket: true`"
                               : "it is not a WebSocket handshake";
    case Condition::method:
      return fmt::format("method {} is not in [{}]", printable(request.method, 40), fmt::join(rule.methods, ", "));
    case Condition::when:
      return fmt::format("{:%Y-%m-%dT%H:%MZ} is in none of its times", fmt::gmtime(static_cast<std::time_t>(request.now)));
    case Condition::process:
      if (doubt) return "it is not known which program holds the connection";
      return fmt::format("program {} is not in [{}]", printable(fmt::format("{}", fmt::join(request.process, ", ")), 200),
                         fmt::join(rule.process, ", "));
    case Condition::path:
      if (doubt) return "the path is ambiguous: two servers could read it differently";
      return fmt::format("path {} is not in [{}]", printable(request.path->decoded, 300), fmt::join(rule.paths, ", "));
    case Condition::encoded_slash:
      return "the path has an encoded slash (%2F), and the rule does not say `encoded_slash: allow`";
    case Condition::query: {
      const auto& wanted = rule.query.at(evaluation.index);
      std::vector<std::string> values;
      for (const auto& [name, value] : asked.query().parameters)
        if (name == wanted.name) values.push_back(value);
      if (doubt && !asked.query().sound) return "the query is ambiguous: two servers could read it differently";
      return values_of(values, "query parameter", wanted);
    }
    case Condition::header: {
      const auto& wanted = rule.headers.at(evaluation.index);
      std::vector<std::string> values;
      for (const auto& header : request.headers)
        if (equals_ignoring_case(header.name, wanted.name)) values.emplace_back(header.value);
      return values_of(values, "header", wanted);
    }
    case Condition::content_type:
      if (doubt) return "the content type is given twice or is malformed";
      return fmt::format("the content type is not in [{}]", fmt::join(rule.content_types, ", "));
    case Condition::graphql:
      return missed_body(rule, asked, false);
    case Condition::rpc:
      return missed_body(rule, asked, true);
  }
  return {};
}

}  // namespace

std::vector<NearMiss> explain(const Policy& policy, const Request& request) {
  const auto& compiled = *policy.compiled_;
  Asked asked(request, Policy::Compiled::scheme_of(request, policy.treatment_of(request.host, request.port)));
  // Of a body with several operations, the one that decided is explained.
  if (request.body != nullptr && !asked.tunnel) {
    asked.operation = policy.decide(request).operation;
    const auto& rpc = request.body->rpc.operations;
    asked.operation_is_rpc = asked.operation != nullptr && !rpc.empty() && asked.operation >= rpc.data() && asked.operation < rpc.data() + rpc.size();
  }
  std::vector<NearMiss> all;
  for (std::size_t i = 0; i < compiled.rules.size(); ++i) {
    const Rule& rule = compiled.document.rules[i];
    bool host = false, port = false;
    for (const auto& pattern : rule.hosts) {
      if (!matches_host(pattern, request.host, rule.action == Action::deny)) continue;
      host = true;
      port = port || compiled.rules[i].takes_port(pattern.port.value_or(0), request.port);
    }
    if (!host) {
      all.push_back({&rule, missed_host(rule, request.host)});
    } else if (!port) {
      all.push_back({&rule, missed_port(rule, request.host, request.port)});
    } else {
      all.push_back({&rule, missed(rule, asked, compiled.rules[i].evaluate(asked))});
    }
  }
  return all;
}

}  // namespace weir::policy
