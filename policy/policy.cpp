#include "policy/policy.h"

#include <algorithm>

#include "policy/document/check.h"
#include "policy/matching/coverage.h"
#include "policy/matching/host_index.h"
#include "policy/matching/ip_address.h"
#include "policy/matching/path_glob.h"

namespace weir::policy {

namespace {

constexpr std::uint32_t kNone = ~std::uint32_t{0};

// What decide() reads of a rule, beside each other in memory.
struct CompiledRule {
  Action action = Action::allow;
  bool encoded_slash = false;
  std::vector<std::uint16_t> ports;
  std::vector<std::string> methods;
  std::vector<PathGlob> paths;

  bool takes_port(std::uint16_t pattern_port, std::uint16_t port) const {
    return pattern_port != 0 ? pattern_port == port : std::ranges::find(ports, port) != ports.end();
  }
  bool takes_method(std::string_view method) const {
    return methods.empty() || std::ranges::find(methods, method) != methods.end();
  }
  bool takes_path(std::string_view decoded) const {
    return paths.empty() || std::ranges::any_of(paths, [&](const PathGlob& glob) { return glob.matches(decoded); });
  }
};

Result<CompiledRule> compile_rule(const Rule& rule) {
  CompiledRule compiled{.action = rule.action,
                        .encoded_slash = rule.encoded_slash,
                        .ports = ports_of(HostPattern{}, rule.ports),
                        .methods = rule.methods,
                        .paths = {}};
  for (const auto& pattern : rule.paths) {
    auto glob = PathGlob::compile(pattern);
    if (!glob) return std::unexpected(glob.error());
    compiled.paths.push_back(std::move(*glob));
  }
  return compiled;
}

}  // namespace

struct Policy::Compiled {
  Document document;
  std::vector<CompiledRule> rules;
  HostIndex rule_hosts;
  HostIndex credential_hosts;
};

Policy::Policy(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
Policy::Policy(Policy&&) noexcept = default;
Policy& Policy::operator=(Policy&&) noexcept = default;
Policy::~Policy() = default;

const Document& Policy::document() const { return compiled_->document; }

Result<Policy> Policy::compile(Document document) {
  if (auto checked = check_document(document); !checked) return std::unexpected(checked.error());
  auto compiled = std::make_unique<Compiled>();
  compiled->document = std::move(document);
  const Document& kept = compiled->document;
  for (std::uint32_t i = 0; i < kept.rules.size(); ++i) {
    auto rule = compile_rule(kept.rules[i]);
    if (!rule) return std::unexpected(rule.error());
    compiled->rules.push_back(std::move(*rule));
    for (const auto& host : kept.rules[i].hosts) compiled->rule_hosts.add(host, i, kept.rules[i].action == Action::deny);
  }
  for (std::uint32_t i = 0; i < kept.credentials.size(); ++i)
    for (const auto& host : kept.credentials[i].hosts) compiled->credential_hosts.add(host, i, false);
  return Policy(std::move(compiled));
}

// SECURITY: G8, the one place where a request is decided. Order of rules does not matter: every rule for the host is
// looked at, and where several would do, the first in the file is named.
Decision Policy::decide(const Request& request) const {
  const Compiled& all = *compiled_;
  const bool ambiguous = request.path == nullptr || request.path->ambiguous;
  std::uint32_t matched = kNone, in_doubt = kNone, slashed = kNone;
  Action strictest = Action::allow;

  all.rule_hosts.visit(request.host, [&](const HostIndex::Entry& entry) {
    const CompiledRule& rule = all.rules[entry.owner];
    if (!rule.takes_port(entry.port, request.port) || !rule.takes_method(request.method)) return;
    if (!rule.paths.empty()) {
      // SECURITY: G7, a rule with paths is in play, and the path might mean another to the server than it does here.
      if (ambiguous) {
        in_doubt = std::min(in_doubt, entry.owner);
        return;
      }
      if (request.path->encoded_slash && !rule.encoded_slash) {
        slashed = std::min(slashed, entry.owner);
        return;
      }
      if (!rule.takes_path(request.path->decoded)) return;
    }
    if (matched == kNone || rule.action > strictest) {
      matched = entry.owner;
      strictest = rule.action;
    } else if (rule.action == strictest) {
      matched = std::min(matched, entry.owner);
    }
  });

  const auto rule_at = [&](std::uint32_t index) { return &all.document.rules[index]; };
  const auto decided = [](Action action, const Rule* rule, std::string_view code) {
    Decision decision;
    decision.action = action;
    decision.rule = rule;
    decision.code = code;
    return decision;
  };
  if (matched != kNone && strictest == Action::deny) return decided(Action::deny, rule_at(matched), "rule_denies");
  if (in_doubt != kNone) return decided(Action::deny, rule_at(in_doubt), "path_ambiguous");
  if (slashed != kNone) return decided(Action::deny, rule_at(slashed), "encoded_slash");
  if (matched != kNone) return decided(strictest, rule_at(matched), {});
  const Action fallback = all.document.default_action;
  return decided(fallback, nullptr, fallback == Action::deny ? std::string_view("no_rule") : std::string_view());
}

Treatment Policy::treatment_of(std::string_view, std::uint16_t) const { return Treatment::inspect; }
bool Policy::wants_process() const { return false; }
bool Policy::wants_time() const { return false; }

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
  return "";
}

bool Policy::could_allow_host(std::string_view host) const {
  if (compiled_->document.default_action != Action::deny) return true;
  bool could = false;
  compiled_->rule_hosts.visit(
      host, [&](const HostIndex::Entry& entry) { could = could || compiled_->rules[entry.owner].action != Action::deny; });
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
    if (compiled.action == Action::deny || !compiled.takes_port(entry.port, port)) return;
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
