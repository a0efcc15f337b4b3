// `weir policy explain`: what would be decided about one request or connection, and why.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "base/file.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/policy/shared.h"
#include "cli/policy/verbs.h"
#include "cli/verbs.h"
#include "policy/cases.h"
#include "policy/described_request.h"
#include "policy/formatting/written.h"

namespace weir::cli {

namespace {

struct Options {
  std::string file, method, url;
  std::vector<std::string> headers;
  std::string body, at;
  std::vector<std::string> process;
  bool has_body = false;
  bool websocket = false;
  bool json = false;
};

int status_of(policy::Action action) {
  if (action == policy::Action::deny) return 3;
  return action == policy::Action::ask ? 4 : 0;
}

std::string_view reason_of(const policy::Decision& decision) {
  if (!decision.code.empty()) return decision.code == "rule_denies" ? std::string_view() : policy::reason_for(decision.code);
  return decision.rule == nullptr ? "no rule matches, and the default decides" : "";
}

struct Explained {
  policy::Decision decision;
  std::vector<policy::NearMiss> misses;  // rules about this host that did not match
  std::vector<std::string> credentials;
  std::vector<std::string> addresses;
};

Explained explain_request(const policy::Policy& policy, const policy::DescribedRequest& described) {
  const auto request = described.request();
  Explained result{.decision = described.decide(policy),
                   .misses = {},
                   .credentials = {},
                   .addresses = policy.named_addresses(request.host, request.port)};
  for (auto& miss : policy::explain(policy, request))
    if (!miss.missed.empty() && miss.rule != result.decision.rule) result.misses.push_back(std::move(miss));
  // Rules about other hosts are far misses; they are told only when there is nothing nearer.
  const auto far = [](const policy::NearMiss& miss) { return miss.missed.starts_with("host "); };
  if (!std::ranges::all_of(result.misses, far) || result.decision.rule != nullptr) std::erase_if(result.misses, far);
  if (described.is_connection()) return result;
  std::vector<std::uint32_t> bound;
  policy.credentials_for(request.scheme, request.host, request.port, bound);
  for (const auto index : bound) result.credentials.push_back(policy.document().credentials[index].name);
  return result;
}

Json json_of_rates(const policy::Policy& policy, const policy::Decision& decision) {
  Json rates = Json::array();
  for (const auto index : decision.rates) {
    const auto& rule = policy.document().rules[index];
    if (rule.rate) rates.push_back({{"rule", rule.name}, {"count", rule.rate->count}, {"seconds", rule.rate->seconds}});
  }
  return rates;
}

Json json_of(const Explained& explained, const policy::Policy& policy, const policy::DescribedRequest& described) {
  const auto& decision = explained.decision;
  const auto& target = described.target();
  const bool limited = decision.body_max != std::numeric_limits<std::uint64_t>::max();
  Json misses = Json::array();
  for (const auto& miss : explained.misses)
    misses.push_back({{"rule", miss.rule->name}, {"place", to_json(miss.rule->place)}, {"missed", miss.missed}});
  Json request = {{"method", described.method()}, {"scheme", target.scheme}, {"host", target.host}, {"port", target.port}};
  if (!described.is_connection()) request["path"] = target.path.wire;
  if (!target.query.empty()) request["query"] = target.query;
  request["websocket"] = described.request().websocket;
  return {{"verdict", name_of(decision.action)},
          {"code", decision.code},
          {"reason", reason_of(decision)},
          {"rule", decision.rule != nullptr ? Json{{"name", decision.rule->name}, {"place", to_json(decision.rule->place)}}
                                            : Json(nullptr)},
          {"operation", decision.operation != nullptr
                            ? Json{{"kind", decision.operation->kind}, {"name", decision.operation->name}}
                            : Json(nullptr)},
          {"body_max", limited ? Json(decision.body_max) : Json(nullptr)},
          {"rates", json_of_rates(policy, decision)},
          {"request", request},
          {"credentials", explained.credentials},
          {"addresses", explained.addresses},
          {"near_misses", misses}};
}

std::string url_of(const policy::Target& target, bool is_connection) {
  const bool v6 = target.host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}{}", target.scheme, v6 ? "[" : "", target.host, v6 ? "]" : "", target.port,
                     is_connection ? "" : target.path.wire);
}

// Why a body is not readable, said where that is what the verdict comes from.
std::string problem_of(const policy::Body& body, const policy::Decision& decision) {
  if (decision.code != "body_unreadable" || decision.rule == nullptr) return {};
  return decision.rule->graphql ? body.graphql.problem : body.rpc.problem;
}

void print_explained(const Explained& explained, const policy::Policy& policy, const policy::DescribedRequest& described) {
  const auto& decision = explained.decision;
  std::string out = fmt::format("{}  {}{}\n", name_of(decision.action),
                                described.is_connection() ? "" : printable(described.method(), 60) + " ",
                                url_of(described.target(), described.is_connection()));
  if (const auto reason = reason_of(decision); !reason.empty()) out += fmt::format("  {}\n", reason);
  if (const auto problem = problem_of(described.body(), decision); !problem.empty())
    out += fmt::format("  body: {}\n", printable(problem));
  if (decision.rule != nullptr)
    out += fmt::format("  rule: {} ({})\n", printable(decision.rule->name), text_of(decision.rule->place));
  if (decision.operation != nullptr)
    out += fmt::format("  operation that decided: {}\n", printable(policy::to_text(*decision.operation), 300));
  if (decision.action != policy::Action::deny) {
    for (const auto& name : explained.credentials) out += fmt::format("  credential: {}\n", name);
    if (decision.body_max != std::numeric_limits<std::uint64_t>::max())
      out += fmt::format("  body_max: {} octets\n", decision.body_max);
    for (const auto index : decision.rates) {
      const auto& rule = policy.document().rules[index];
      if (rule.rate) out += fmt::format("  rate: {} (rule {})\n", policy::written(*rule.rate), printable(rule.name));
    }
  }
  if (!explained.misses.empty()) out += "  rules that did not match:\n";
  constexpr std::size_t kShown = 20;
  for (std::size_t i = 0; i < std::min(explained.misses.size(), kShown); ++i)
    out += fmt::format("    {} ({}): {}\n", printable(explained.misses[i].rule->name),
                       text_of(explained.misses[i].rule->place), printable(explained.misses[i].missed));
  if (explained.misses.size() > kShown) out += fmt::format("    and {} more\n", explained.misses.size() - kShown);
  print(out);
}

Result<policy::Description> describe(const Options& options) {
  policy::Description described;
  // The method may be left out, as for curl; a connection has none.
  described.method = options.url.empty() ? "" : options.method;
  described.url = options.url.empty() ? options.method : options.url;
  for (const auto& header : options.headers) {
    const auto colon = header.find(':');
    if (colon == std::string::npos || colon == 0)
      return fail("request_invalid", "-H " + printable(header, 200) + ": write it as 'Name: value'");
    described.headers.emplace_back(header.substr(0, colon), std::string(trim(std::string_view(header).substr(colon + 1))));
  }
  if (options.has_body && options.body.starts_with('@')) {
    auto text = read_file(options.body.substr(1));
    if (!text) return std::unexpected(text.error());
    described.body = std::move(*text);
  } else if (options.has_body) {
    described.body = options.body;
  }
  described.websocket = options.websocket;
  described.process = options.process;
  if (!options.at.empty()) {
    described.at = parse_timestamp(options.at);
    if (!described.at)
      return fail("request_invalid", "--at " + printable(options.at, 80) +
                                         " is not a time; write it as in 2026-03-02T10:00Z or 2026-03-02T11:00+01:00");
  }
  return described;
}

int explain(const Options& options) {
  auto description = describe(options);
  if (!description) return complain(description.error().message);
  int status = 0;
  const auto policy = load_policy(options.file, status);
  if (!policy) return status;
  const auto described =
      policy::DescribedRequest::make(std::move(*description), policy->document().limits, wall_clock_us() / 1'000'000);
  if (!described) return complain(described.error().message);
  const auto explained = explain_request(*policy, *described);
  if (options.json)
    print(json_of(explained, *policy, *described));
  else
    print_explained(explained, *policy, *described);
  return status_of(explained.decision.action);
}

}  // namespace

void add_policy_explain(CLI::App& policy, int& status) {
  const auto options = std::make_shared<Options>();  // shared with the callback, which outlives this function
  auto* verb = policy.add_subcommand("explain", "What would be decided, and why (exit 0 allow or log, 3 deny, 4 ask)");
  verb->add_option("FILE", options->file, "the policy file")->required();
  verb->add_option("METHOD", options->method, "for instance POST (GET when it is left out)")->required();
  verb->add_option("URL", options->url, "for instance https://example.com/path; tcp://HOST:PORT and tls://HOST: a connection");
  verb->add_option("-H,--header", options->headers, "'Name: value', as the client would send it")
      ->type_name("HEADER")
      ->allow_extra_args(false);
  auto* body = verb->add_option("-d,--data", options->body, "the request's body, or @FILE")->type_name("BODY");
  verb->add_flag("--websocket", options->websocket, "the request is a WebSocket handshake");
  verb->add_option("--process", options->process, "an executable that holds the connection")
      ->type_name("PATH")
      ->allow_extra_args(false);
  verb->add_option("--at", options->at, "the time of the request (default: now), such as 2026-03-02T10:00Z")->type_name("TIME");
  add_json_flag(verb, options->json);
  verb->callback([options, body, &status] {
    options->has_body = body->count() > 0;
    status = explain(*options);
  });
}

}  // namespace weir::cli
