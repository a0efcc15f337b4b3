#include "policy/document/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/text.h"
#include "policy/canonical.h"
#include "policy/matching/coverage.h"
#include "policy/matching/ip_address.h"
#include "policy/matching/path_glob.h"

namespace weir::policy {

namespace {

constexpr std::size_t kMaxText = 4096;

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool is_token(std::string_view text) {  // RFC 9110 §5.6.2
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_alphanumeric(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

// Fields that weir writes itself or that belong to one hop (RFC 9110 §7.6.1, RFC 9112 §6, RFC 9113 §8.2.2): a credential
// there would change where a message ends or whom it is for.
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

constexpr std::string_view kPlaceholder = "{secret}";

std::optional<Problem> check_host_pattern(const HostPattern& pattern) {
  const Problem problem{"a host pattern is not in canonical form", ""};
  if (pattern.port == std::uint16_t{0}) return problem;
  if (pattern.kind == HostPattern::Kind::any) return pattern.name.empty() ? std::nullopt : std::optional(problem);
  const auto canonical = canonical_host(pattern.name);
  if (!canonical || *canonical != pattern.name) return problem;
  if (pattern.kind == HostPattern::Kind::below && is_ip_literal(pattern.name)) return problem;
  return std::nullopt;
}

template <class Values, class Check>
std::optional<Problem> first_problem(const Values& values, Check&& check) {
  for (const auto& value : values)
    if (auto problem = check(value)) return problem;
  return std::nullopt;
}

std::optional<Problem> check_hosts(const std::vector<HostPattern>& hosts) {
  if (hosts.empty()) return Problem{"it has no hosts", ""};
  return first_problem(hosts, check_host_pattern);
}

std::optional<Problem> check_action(Action action) {
  if (action == Action::ask) return Problem{"`ask` is not available in this version", ""};
  return std::nullopt;
}

std::optional<Problem> check_rule(const Rule& rule) {
  if (auto problem = check_action(rule.action)) return problem;
  if (auto problem = check_hosts(rule.hosts)) return problem;
  if (std::ranges::find(rule.ports, 0) != rule.ports.end()) return Problem{"0 is not a port", ""};
  if (auto problem = first_problem(rule.methods, check_method)) return problem;
  if (auto problem = first_problem(rule.addresses, check_network)) return problem;
  return first_problem(rule.paths, [](const std::string& pattern) -> std::optional<Problem> {
    const auto glob = PathGlob::compile(pattern);
    return glob ? std::nullopt : std::optional(Problem{glob.error().message, ""});
  });
}

std::optional<Problem> check_credential(const Credential& credential) {
  if (auto problem = check_name("credential", credential.name)) return problem;
  if (auto problem = check_source(credential.from)) return problem;
  if (auto problem = check_hosts(credential.hosts)) return problem;
  if (auto problem = check_header(credential.inject.header)) return problem;
  return check_format(credential.inject.format);
}

}  // namespace

std::optional<Problem> check_method(std::string_view method) {
  if (!is_token(method))
    return Problem{fmt::format("`{}` is not a method", printable(method, 60)), "leave out `methods` for any method"};
  if (std::ranges::any_of(method, [](char c) { return c >= 'a' && c <= 'z'; })) {
    std::string upper(method);
    std::ranges::transform(upper, upper.begin(),
                           [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
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

std::optional<Problem> check_header(std::string_view header) {
  if (!is_token(header) || header.size() > 128)
    return Problem{fmt::format("`{}` is not a header name", printable(header, 60)), "for instance: header: Authorization"};
  if (std::ranges::find(kReservedHeaders, to_lower(header)) != kReservedHeaders.end())
    return Problem{fmt::format("`{}` cannot be set by a credential: it frames or routes the message", header), ""};
  return std::nullopt;
}

std::optional<Problem> check_format(std::string_view format) {
  const std::string_view example = "for instance: format: \"Bearer {secret}\"";
  if (format.find(kPlaceholder) == std::string_view::npos)
    return Problem{"`format` does not contain {secret}", std::string(example)};
  if (format.size() > kMaxText) return Problem{"`format` is longer than 4096 characters", ""};
  if (std::ranges::any_of(format, [](char c) { return c < 0x20 || c > 0x7e; }))  // RFC 9110 §5.5
    return Problem{"`format` may hold printable ASCII characters and spaces only", std::string(example)};
  if (format.front() == ' ' || format.back() == ' ')
    return Problem{"`format` begins or ends with a space", std::string(example)};
  std::string rest(format);
  for (auto at = rest.find(kPlaceholder); at != std::string::npos; at = rest.find(kPlaceholder))
    rest.erase(at, kPlaceholder.size());
  if (rest.find_first_of("{}") != std::string::npos)
    return Problem{"`format` has braces that are not {secret}", std::string(example)};
  return std::nullopt;
}

std::optional<Problem> check_source(std::string_view from) {
  const auto colon = from.find(':');
  const auto scheme = from.substr(0, colon);
  const auto rest = colon == std::string_view::npos ? std::string_view() : from.substr(colon + 1);
  constexpr std::array<std::string_view, 3> known = {"env", "file", "store"};
  const std::string example = "write env:NAME, file:PATH or store:ENTRY";
  if (colon != std::string_view::npos && (scheme == "vault" || scheme == "exec"))
    return Problem{fmt::format("`from: {}:` is not available in this version", scheme), example};
  if (colon == std::string_view::npos || std::ranges::find(known, scheme) == known.end()) {
    const auto near = colon == std::string_view::npos ? std::nullopt : nearest(scheme, known);
    return Problem{fmt::format("`{}` does not say where the secret comes from", printable(from, 100)),
                   near ? fmt::format("did you mean `{}:{}`?", *near, printable(rest, 100)) : example};
  }
  if (rest.empty()) return Problem{fmt::format("`{}:` names nothing", scheme), example};
  if (from.size() > kMaxText ||
      std::ranges::any_of(rest, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
    return Problem{"`from` has control characters or is longer than 4096", example};
  if (scheme == "env") {
    const bool good = !(rest.front() >= '0' && rest.front() <= '9') &&
                      std::ranges::all_of(rest, [](char c) { return is_alphanumeric(c) || c == '_'; });
    if (!good)
      return Problem{fmt::format("`{}` is not the name of an environment variable", printable(rest, 100)),
                     "for instance: from: env:GITHUB_TOKEN"};
  }
  if (scheme == "store" && !std::ranges::all_of(rest, [](char c) {
        return is_alphanumeric(c) || std::string_view("._-/").find(c) != std::string_view::npos;
      }))
    return Problem{fmt::format("`{}` is not the name of an entry in the store", printable(rest, 100)),
                   "letters, digits, and . _ - / may be used"};
  return std::nullopt;
}

std::optional<Problem> check_name(std::string_view what, std::string_view name) {
  const bool good = !name.empty() && name.size() <= 64 && is_alphanumeric(name.front()) &&
                    std::ranges::all_of(name, [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; });
  if (good) return std::nullopt;
  return Problem{fmt::format("`{}` is not a name for a {}", printable(name, 80), what),
                 "up to 64 letters, digits, and - _ . may be used; the first is a letter or a digit"};
}

std::optional<std::pair<std::size_t, std::size_t>> find_conflict(const Document& document) {
  std::map<std::string, std::vector<std::size_t>> by_header;  // header names are compared without case, RFC 9110 §5.1
  for (std::size_t i = 0; i < document.credentials.size(); ++i) {
    auto& others = by_header[to_lower(document.credentials[i].inject.header)];
    for (const auto other : others)
      if (destinations_overlap(document.credentials[other].hosts, {}, document.credentials[i].hosts, {}))
        return std::pair(other, i);
    others.push_back(i);
  }
  return std::nullopt;
}

Result<void> check_document(const Document& document) {
  const auto refuse = [](std::string_view what, std::string_view name, const Problem& problem) {
    return fail("policy_invalid", fmt::format("{} `{}`: {}", what, printable(name, 100), problem.message));
  };
  if (document.default_action == Action::allow)
    return fail("policy_invalid", "`default: allow` is not possible: use deny or log");
  if (auto problem = check_action(document.default_action)) return refuse("the default of", document.file, *problem);
  for (const auto& rule : document.rules)
    if (auto problem = check_rule(rule)) return refuse("rule", rule.name, *problem);
  for (std::size_t i = 0; i < document.credentials.size(); ++i) {
    const auto& credential = document.credentials[i];
    if (auto problem = check_credential(credential)) return refuse("credential", credential.name, *problem);
    for (std::size_t j = 0; j < i; ++j)
      if (document.credentials[j].name == credential.name)
        return refuse("credential", credential.name, {"there are two of that name", ""});
  }
  if (const auto conflict = find_conflict(document))
    return refuse("credential", document.credentials[conflict->second].name,
                  {fmt::format("it would set the same header as `{}`", document.credentials[conflict->first].name), ""});
  for (const auto& fixed : document.upstream.resolve) {
    const auto host = canonical_host(fixed.host);
    const auto address = parse_ip(fixed.address);
    if (!host || *host != fixed.host || !address || to_text(*address) != fixed.address || fixed.port == std::uint16_t{0})
      return refuse("resolve", fixed.host, {"it is not in canonical form", ""});
  }
  return {};
}

}  // namespace weir::policy
