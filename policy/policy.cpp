#include "policy/policy.h"

#include <algorithm>

#include "policy/matching/compiled_policy.h"
#include "policy/document/check.h"
#include "policy/matching/ip_address.h"

namespace weir::policy {

namespace {

constexpr std::uint32_t kNone = ~std::uint32_t{0};

std::string_view code_for(Condition condition) {
  switch (condition) {
    case Condition::tunnel:
      return "not_inspected";
    case Condition::process:
      return "process_unknown";
    case Condition::encoded_slash:
      return "encoded_slash";
    case Condition::query:
      return "query_ambiguous";
    case Condition::header:
      return "header_ambiguous";
    case Condition::content_type:
      return "content_type_ambiguous";
    case Condition::graphql:
    case Condition::rpc:
      return "body_unreadable";
    default:
      return "path_ambiguous";
  }
}

}  // namespace

Policy::Policy(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
Policy::Policy(Policy&&) noexcept = default;
Policy& Policy::operator=(Policy&&) noexcept = default;
Policy::~Policy() = default;

const Document& Policy::document() const { return compiled_->document; }
bool Policy::wants_process() const { return compiled_->wants_process; }
bool Policy::wants_time() const { return compiled_->wants_time; }

Result<Policy> Policy::compile(Document document) {
  if (auto checked = check_document(document); !checked) return std::unexpected(checked.error());
  auto compiled = std::make_unique<Compiled>();
  compiled->document = std::move(document);
  const Document& kept = compiled->document;
  compiled->rules.reserve(kept.rules.size());
  std::size_t patterns = 0;
  for (const auto& rule : kept.rules) patterns += rule.hosts.size();
  compiled->rule_hosts.reserve(patterns);
  for (std::uint32_t i = 0; i < kept.rules.size(); ++i) {
    auto rule = CompiledRule::compile(kept.rules[i], compiled->path_sets);
    if (!rule) return std::unexpected(rule.error());
    compiled->has_tunnels = compiled->has_tunnels || kept.rules[i].is_tunnel();
    compiled->wants_process = compiled->wants_process || rule->has_process();
    compiled->wants_time = compiled->wants_time || rule->has_when();
    compiled->rules.push_back(std::move(*rule));
    for (const auto& host : kept.rules[i].hosts) compiled->rule_hosts.add(host, i, kept.rules[i].action == Action::deny);
  }
  compiled->rule_hosts.index_paths([&](std::uint32_t owner) -> const std::vector<std::string>& { return kept.rules[owner].paths; });
  for (std::uint32_t i = 0; i < kept.credentials.size(); ++i)
    for (const auto& host : kept.credentials[i].hosts) compiled->credential_hosts.add(host, i, false);
  return Policy(std::move(compiled));
}

Treatment Policy::treatment_of(std::string_view host, std::uint16_t port) const {
  if (!compiled_->has_tunnels) return Treatment::inspect;
  Treatment treatment = Treatment::inspect;
  compiled_->rule_hosts.visit(host, [&](const HostIndex::Entry& entry) {
    const CompiledRule& rule = compiled_->rules[entry.owner];
    if (rule.action() == Action::deny || !rule.takes_port(entry.port, port)) return;
    if (rule.is_tcp()) treatment = Treatment::tcp;
    if (rule.is_passthrough() && treatment == Treatment::inspect) treatment = Treatment::passthrough;
  });
  return treatment;
}

std::string_view Policy::Compiled::scheme_of(const Request& request, Treatment treatment) {
  if (treatment == Treatment::tcp) return "tcp";
  if (treatment == Treatment::passthrough && request.scheme == "https") return "tls";
  return request.scheme;
}

// The verdict on one operation of the body, or on the request as a whole when `asked.operation` is null.
// SECURITY: G8. Order of rules does not matter: every rule that could match is looked at, and where several would do, the first in
// the file is named.
Decision Policy::Compiled::decide_one(const Asked& asked) const {
  const Request& request = asked.request;
  std::uint32_t matched = kNone, in_doubt = kNone, waiting = kNone, too_small = kNone;
  Condition doubt = Condition::none;
  Action strictest = Action::allow;
  Decision decision;

  const auto look_at = [&](const HostIndex::Entry& entry) {
    const CompiledRule& rule = rules[entry.owner];
    if (!rule.takes_port(entry.port, request.port)) return;
    const Evaluation evaluation = rule.evaluate(asked);
    switch (evaluation.result) {
      case Evaluation::Result::no:
        return;
      case Evaluation::Result::doubt:
        if (entry.owner < in_doubt) in_doubt = entry.owner, doubt = evaluation.condition;
        return;
      case Evaluation::Result::needs_body:
        waiting = std::min(waiting, entry.owner);
        return;
      case Evaluation::Result::yes:
        break;
    }
    if (matched == kNone || rule.action() > strictest) {
      matched = entry.owner;
      strictest = rule.action();
    } else if (rule.action() == strictest) {
      matched = std::min(matched, entry.owner);
    }
    if (const auto most = rule.body_max()) {
      decision.body_max = std::min(decision.body_max, *most);
      if (request.body_size && *request.body_size > *most) too_small = std::min(too_small, entry.owner);
    }
    if (rule.has_rate()) decision.rates.push_back(entry.owner);
  };
  // A path that can be read in two ways concerns every rule with paths.
  const bool plain_path = !asked.tunnel && request.path != nullptr && !request.path->ambiguous && !request.path->encoded_slash;
  if (plain_path)
    rule_hosts.visit(request.host, request.path->decoded, look_at);
  else
    rule_hosts.visit(request.host, look_at);

  const auto decide_by = [&](Action action, std::uint32_t rule, std::string_view code) {
    decision.action = action;
    decision.rule = rule == kNone ? nullptr : &document.rules[rule];
    decision.code = code;
    decision.operation = asked.operation;
  };
  if (matched != kNone && strictest == Action::deny) {
    decide_by(Action::deny, matched, "rule_denies");
  } else if (in_doubt != kNone) {
    decide_by(Action::deny, in_doubt, code_for(doubt));
  } else if (too_small != kNone) {
    decide_by(Action::deny, too_small, "body_too_large");
  } else if (waiting != kNone) {
    decide_by(Action::deny, waiting, "body_unreadable");
    decision.needs_body = true;
  } else if (matched != kNone) {
    decide_by(strictest, matched, {});
  } else {
    const Action fallback = document.default_action;
    decide_by(fallback, kNone, fallback == Action::deny ? std::string_view("no_rule") : std::string_view());
  }
  if (decision.rates.size() > 1) {  // a rule with several patterns may have been seen more than once
    std::ranges::sort(decision.rates);
    decision.rates.erase(std::ranges::unique(decision.rates).begin(), decision.rates.end());
  }
  return decision;
}

// SECURITY: G8, the one place where a request is decided.
Decision Policy::decide(const Request& request) const {
  const Compiled& all = *compiled_;
  const Treatment treatment = all.has_tunnels ? treatment_of(request.host, request.port) : Treatment::inspect;
  Asked asked(request, Compiled::scheme_of(request, treatment));
  if (request.body == nullptr || asked.tunnel) return all.decide_one(asked);

  // Each operation is decided as a request of its own, and the strictest verdict is the request's.
  const auto in_play = all.formats_for(asked);
  Decision strictest;
  bool first = true;
  const auto take = [&](Decision one) {
    strictest.body_max = std::min(first ? one.body_max : strictest.body_max, one.body_max);
    std::vector<std::uint32_t> rates;
    std::ranges::set_union(strictest.rates, one.rates, std::back_inserter(rates));
    const auto most = strictest.body_max;
    if (first || one.action > strictest.action) strictest = std::move(one);
    strictest.body_max = most;
    strictest.rates = std::move(rates);
    first = false;
  };
  const auto take_all = [&](const Reading& reading, bool rpc) {
    asked.operation_is_rpc = rpc;
    for (const auto& operation : reading.operations) {
      asked.operation = &operation;
      take(all.decide_one(asked));
    }
  };
  if (in_play.graphql && request.body->graphql.state == Reading::State::read) take_all(request.body->graphql, false);
  if (in_play.rpc && request.body->rpc.state == Reading::State::read) take_all(request.body->rpc, true);
  asked.operation = nullptr;
  if (first) return all.decide_one(asked);
  return strictest;
}

// Which formats some rule would read in this request's body.
Policy::Compiled::Formats Policy::Compiled::formats_for(const Asked& asked) const {
  Formats wanted;
  Request unread = asked.request;
  unread.body = nullptr;
  const Asked again(unread, asked.scheme);
  rule_hosts.visit(unread.host, [&](const HostIndex::Entry& entry) {
    const CompiledRule& rule = rules[entry.owner];
    if (!rule.reads_graphql() && !rule.reads_rpc()) return;
    if (!rule.takes_port(entry.port, unread.port) || rule.evaluate(again).result == Evaluation::Result::no) return;
    wanted.graphql = wanted.graphql || rule.reads_graphql();
    wanted.rpc = wanted.rpc || rule.reads_rpc();
  });
  return wanted;
}

std::string_view name_of(Action action) {
  switch (action) {
    case Action::allow:
      return "allow";
    case Action::log:
      return "log";
    case Action::ask:
      return "ask";
    case Action::deny:
      return "deny";
  }
  return "";
}

std::string_view reason_for(std::string_view code) {
  if (code == "no_rule") return "no rule allows it";
  if (code == "rule_denies") return "a rule denies it";
  if (code == "path_ambiguous") return "a rule with paths is in play, and two servers could read this path differently";
  if (code == "encoded_slash") return "a rule with paths is in play, and the path has an encoded slash (%2F)";
  if (code == "query_ambiguous") return "a rule with a query condition is in play, and two servers could read this query differently";
  if (code == "header_ambiguous") return "a rule with a header condition is in play, and the header is given more than once";
  if (code == "content_type_ambiguous") return "a rule with content types is in play, and the request has two or a malformed one";
  if (code == "body_too_large") return "the body is larger than the rule's body_max";
  if (code == "body_unreadable") return "a rule depends on what the body says, and the body cannot be read";
  if (code == "process_unknown") return "a rule with processes is in play, and it is not known which program holds the connection";
  if (code == "not_inspected") return "a rule depends on what requests say, and this connection is carried unread";
  if (code == "rate_exceeded") return "more requests than the rule's rate allows";
  return "";
}

bool Policy::could_allow_host(std::string_view host) const {
  if (compiled_->document.default_action != Action::deny) return true;
  bool could = false;
  compiled_->rule_hosts.visit(
      host, [&](const HostIndex::Entry& entry) { could = could || compiled_->rules[entry.owner].action() != Action::deny; });
  return could;
}

void Policy::credentials_for(std::string_view scheme, std::string_view host, std::uint16_t port,
                             std::vector<std::uint32_t>& out) const {
  out.clear();
  const auto& credentials = compiled_->document.credentials;
  compiled_->credential_hosts.visit(host, [&](const HostIndex::Entry& entry) {
    const bool right_port = entry.port != 0 ? entry.port == port : port == 443 || port == 80;
    // SECURITY: G2, in the clear only where the file says so; a scheme that is not known counts as in the clear.
    if (right_port && (scheme == "https" || credentials[entry.owner].insecure)) out.push_back(entry.owner);
  });
  std::ranges::sort(out);
  out.erase(std::ranges::unique(out).begin(), out.end());
}

std::vector<std::string> Policy::named_addresses(std::string_view host, std::uint16_t port) const {
  std::vector<std::string> named;
  const auto name_alone = [&](std::string_view literal) {
    if (const auto address = parse_ip(literal)) named.push_back(to_text(IpNetwork{*address, address->bits()}));
  };
  bool by_literal = false;
  compiled_->rule_hosts.visit(host, [&](const HostIndex::Entry& entry) {
    const CompiledRule& compiled = compiled_->rules[entry.owner];
    if (compiled.action() == Action::deny || !compiled.takes_port(entry.port, port)) return;
    const Rule& rule = compiled_->document.rules[entry.owner];
    named.insert(named.end(), rule.addresses.begin(), rule.addresses.end());
    by_literal = true;  // `*` of a rule that does not deny is no address, so it was this very literal
  });
  if (by_literal && is_ip_literal(host)) name_alone(host);
  for (const auto& fixed : compiled_->document.upstream.resolve)
    if (fixed.host == host) name_alone(fixed.address);
  std::ranges::sort(named);
  named.erase(std::ranges::unique(named).begin(), named.end());
  return named;
}

}  // namespace weir::policy
