#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "policy/canonical.h"
#include "policy/document/characters.h"
#include "policy/document/check.h"
#include "policy/document/rule_keys.h"
#include "policy/matching/ip_address.h"
#include "policy/matching/path_glob.h"
#include "policy/matching/time_window.h"

namespace weir::policy {

namespace {

constexpr std::size_t kMaxValue = 1024;

// Fields that weir writes itself or that belong to one hop (RFC 9110 §7.6.1, RFC 9112 §6, RFC 9113 §8.2.2): a credential
// there would change where a message ends or whom it is for, and a rule would look at what weir replaces.
constexpr std::array<std::string_view, 17> kReservedHeaders = {"host",
                                                               "content-length",
                                                               "transfer-encoding",
                                                               "connection",
                                                               "keep-alive",
                                                               "proxy-connection",
                                                               "te",
                                                               "trailer",
                                                               "upgrade",
                                                               "proxy-authorization",
                                                               "proxy-authenticate",
                                                               "proxy-authentication-info",
                                                               "expect",
                                                               "http2-settings",
                                                               "via",
                                                               "forwarded",
                                                               "content-encoding"};

bool is_reserved(std::string_view lower) { return std::ranges::find(kReservedHeaders, lower) != kReservedHeaders.end(); }

template <class Values, class Check>
std::optional<Problem> first_problem(const Values& values, Check&& check) {
  for (const auto& value : values)
    if (auto problem = check(value)) return problem;
  return std::nullopt;
}

std::optional<Problem> check_named(const std::vector<NamedGlob>& globs, std::string_view what,
                                   std::optional<Problem> (*check_name)(std::string_view)) {
  for (std::size_t i = 0; i < globs.size(); ++i) {
    if (auto problem = check_name(globs[i].name)) return problem;
    if (auto problem = check_glob(what, globs[i].glob)) return problem;
    for (std::size_t j = 0; j < i; ++j)
      if (globs[i].name == globs[j].name) return Problem{fmt::format("`{}` names one twice", what), ""};
  }
  return std::nullopt;
}

std::optional<Problem> check_window(const TimeWindow& window) {
  if (const auto compiled = CompiledWindow::compile(window); !compiled) return Problem{compiled.error().message, ""};
  const bool weekly = window.kind == TimeWindow::Kind::weekly;
  if (weekly ? window.begin != 0 || window.end != 0
             : window.days != 0x7f || window.from != 0 || window.to != 1440 || !window.zone.empty() ||
                   !window.zone_rule.empty())
    return Problem{"a time window is of two kinds at once", ""};
  return std::nullopt;
}

std::optional<Problem> check_limits(const Rule& rule) {
  if (!rule.rate) return std::nullopt;
  constexpr std::array<std::uint32_t, 4> kSeconds = {1, 60, 3600, 86400};
  if (rule.rate->count == 0 || rule.rate->count > kMaxRate ||
      std::ranges::find(kSeconds, rule.rate->seconds) == kSeconds.end())
    return Problem{"its rate is not one", ""};
  return std::nullopt;
}

std::optional<Problem> check_operations(const Rule& rule) {
  const auto glob = [](std::string_view what) { return [what](const std::string& text) { return check_glob(what, text); }; };
  if (rule.graphql) {
    if (auto problem = first_problem(rule.graphql->operations, check_operation)) return problem;
    if (auto problem = first_problem(rule.graphql->fields, glob("fields"))) return problem;
  }
  if (rule.rpc) {
    if (!rule.rpc->mcp && !rule.rpc->tools.empty()) return Problem{"`tools` belongs to `mcp`", ""};
    if (auto problem = first_problem(rule.rpc->methods, glob("methods"))) return problem;
    if (auto problem = first_problem(rule.rpc->tools, glob("tools"))) return problem;
  }
  return std::nullopt;
}

// Which keys a rule must have been written with.
bool is_given(const Rule& rule, std::string_view key) {
  if (key == "hosts") return !rule.tcp;
  if (key == "tcp") return rule.tcp;
  if (key == "tls") return rule.passthrough;
  if (key == "ports") return !rule.ports.empty();
  if (key == "methods") return !rule.methods.empty();
  if (key == "paths") return !rule.paths.empty();
  if (key == "encoded_slash") return rule.encoded_slash;
  if (key == "query") return !rule.query.empty();
  if (key == "headers") return !rule.headers.empty();
  if (key == "content_types") return !rule.content_types.empty();
  if (key == "body_max") return rule.body_max.has_value();
  if (key == "rate") return rule.rate.has_value();
  if (key == "websocket") return rule.websocket.has_value();
  if (key == "graphql") return rule.graphql.has_value();
  if (key == "jsonrpc") return rule.rpc && !rule.rpc->mcp;
  if (key == "mcp") return rule.rpc && rule.rpc->mcp;
  if (key == "addresses") return !rule.addresses.empty();
  return false;
}

}  // namespace

std::optional<Problem> check_hosts(const std::vector<HostPattern>& hosts) {
  if (hosts.empty()) return Problem{"it has no hosts", ""};
  return first_problem(hosts, [](const HostPattern& pattern) -> std::optional<Problem> {
    const Problem problem{"a host pattern is not in canonical form", ""};
    if (pattern.port == std::uint16_t{0}) return problem;
    if (pattern.kind == HostPattern::Kind::any) return pattern.name.empty() ? std::nullopt : std::optional(problem);
    const auto canonical = canonical_host(pattern.name);
    if (!canonical || *canonical != pattern.name) return problem;
    if (pattern.kind == HostPattern::Kind::below && is_ip_literal(pattern.name)) return problem;
    return std::nullopt;
  });
}

std::optional<Problem> check_method(std::string_view method) {
  if (!is_token(method))
    return Problem{fmt::format("`{}` is not a method", printable(method, 60)), "leave out `methods` for any method"};
  if (std::ranges::any_of(method, is_lower)) {
    std::string upper(method);
    std::ranges::transform(upper, upper.begin(), [](char c) { return is_lower(c) ? static_cast<char>(c - 32) : c; });
    return Problem{fmt::format("method `{}` has lower-case letters, and methods are case-sensitive", printable(method, 60)),
                   fmt::format("write `{}`", printable(upper, 60))};
  }
  if (method == "*") return Problem{"`*` is not a method", "leave out `methods` for any method"};
  return std::nullopt;
}

std::optional<Problem> check_network(std::string_view cidr) {
  const auto network = parse_network(cidr);
  if (!network)
    return Problem{fmt::format("`{}` is not a network", printable(cidr, 60)), "write it as 10.0.0.0/8 or fd00::/8"};
  const auto exact = to_text(without_host_bits(*network));
  if (without_host_bits(*network) != *network)
    return Problem{fmt::format("network `{}` has bits set beyond its prefix", printable(cidr, 60)),
                   fmt::format("did you mean `{}`?", exact)};
  if (cidr != exact)
    return Problem{fmt::format("network `{}` is not in its canonical form", printable(cidr, 60)),
                   fmt::format("write `{}`", exact)};
  return std::nullopt;
}

std::span<const std::string_view> reserved_headers() { return kReservedHeaders; }

std::optional<Problem> check_parameter(std::string_view name) {
  const std::string hint = "write the name as it is once decoded";
  if (name.empty() || name.size() > kMaxValue) return Problem{"a parameter has no name, or one that is too long", hint};
  if (std::ranges::any_of(name, is_control) || valid_utf8_prefix(name) != name.size())
    return Problem{fmt::format("`{}` is not the name of a parameter", printable(name, 80)), hint};
  return std::nullopt;
}

std::optional<Problem> check_condition_header(std::string_view name) {
  const auto shown = printable(name, 60);
  if (name == "content-type")
    return Problem{"`content-type` has parameters and spellings, so that a glob on it would not hold",
                   "use `content_types: [application/json]`"};
  if (is_reserved(name))
    return Problem{fmt::format("`{}` cannot be a condition: it frames or routes the message", shown),
                   name == "host" ? "that is what `hosts` is for" : ""};
  if (!is_token(name) || name.size() > 128 || std::ranges::any_of(name, is_upper))
    return Problem{fmt::format("`{}` is not a header name", shown), "for instance: headers: {x-team: \"data-*\"}"};
  return std::nullopt;
}

std::optional<Problem> check_glob(std::string_view what, std::string_view glob) {
  if (glob.size() > kMaxValue) return Problem{fmt::format("a value of `{}` is longer than 1024 characters", what), ""};
  if (std::ranges::any_of(glob, is_control) || valid_utf8_prefix(glob) != glob.size())
    return Problem{fmt::format("a value of `{}` has control characters", what), ""};
  if (glob.find("**") != std::string_view::npos)
    return Problem{fmt::format("`{}` has `**`, and here `*` stands for any characters already", printable(glob, 80)),
                   "write one `*`"};
  return std::nullopt;
}

std::optional<Problem> check_media_type(std::string_view glob) {
  const auto shown = printable(glob, 80);
  const std::string example = "for instance: content_types: [application/json, \"image/*\"]";
  if (glob.find(';') != std::string_view::npos)
    return Problem{fmt::format("`{}` has parameters, which are not compared", shown),
                   fmt::format("write `{}`", printable(trim(glob.substr(0, glob.find(';'))), 80))};
  const auto slash = glob.find('/');
  if (slash == std::string_view::npos || !is_token(glob.substr(0, slash)) || !is_token(glob.substr(slash + 1)) ||
      glob.size() > 256)
    return Problem{fmt::format("`{}` is not a media type", shown), example};
  if (std::ranges::any_of(glob, is_upper))
    return Problem{fmt::format("media type `{}` has capital letters, and they are compared in lower case", shown),
                   fmt::format("write `{}`", to_lower(glob))};
  return check_glob("content_types", glob);
}

std::optional<Problem> check_executable(std::string_view glob) {
  const auto compiled = PathGlob::compile(glob);
  if (!compiled)
    return Problem{compiled.error().message, "the path of the executable: /usr/bin/git, \"/usr/lib/git-core/**\""};
  if (glob.ends_with('/'))
    return Problem{fmt::format("`{}` is a folder", printable(glob, 80)), "`/**` at its end is all that is in it"};
  return std::nullopt;
}

std::optional<Problem> check_operation(std::string_view operation) {
  if (std::ranges::find(kOperations, operation) != kOperations.end()) return std::nullopt;
  const auto near = nearest(operation, kOperations);
  return Problem{fmt::format("`{}` is not a GraphQL operation", printable(operation, 60)),
                 near ? fmt::format("did you mean `{}`?", *near) : "one of: query, mutation, subscription"};
}

std::optional<Problem> check_rule(const Rule& rule) {
  if (auto problem = check_hosts(rule.hosts)) return problem;
  for (auto& found : find_contradictions(rule, [&](std::string_view key) { return is_given(rule, key); }))
    return std::move(found.problem);
  if (std::ranges::find(rule.ports, 0) != rule.ports.end()) return Problem{"0 is not a port", ""};
  if (auto problem = first_problem(rule.methods, check_method)) return problem;
  if (auto problem = first_problem(rule.addresses, check_network)) return problem;
  if (auto problem = check_named(rule.query, "query", check_parameter)) return problem;
  if (auto problem = check_named(rule.headers, "headers", check_condition_header)) return problem;
  if (auto problem = first_problem(rule.content_types, check_media_type)) return problem;
  if (auto problem = first_problem(rule.process, check_executable)) return problem;
  if (auto problem = first_problem(rule.when, check_window)) return problem;
  if (auto problem = check_limits(rule)) return problem;
  if (auto problem = check_operations(rule)) return problem;
  return first_problem(rule.paths, [](const std::string& pattern) -> std::optional<Problem> {
    const auto glob = PathGlob::compile(pattern);
    return glob ? std::nullopt : std::optional(Problem{glob.error().message, ""});
  });
}

}  // namespace weir::policy
