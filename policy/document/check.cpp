#include "policy/document/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "policy/canonical.h"
#include "policy/matching/ip_address.h"

namespace weir::policy {

namespace {

constexpr std::size_t kMaxText = 4096;
constexpr std::string_view kPlaceholder = "{secret}";

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

std::optional<Problem> check_credential(const Credential& credential) {
  if (auto problem = check_name("credential", credential.name)) return problem;
  if (auto problem = check_source(credential.from)) return problem;
  if (auto problem = check_ttl(credential)) return problem;
  if (auto problem = check_hosts(credential.hosts)) return problem;
  if (auto problem = check_header(credential.inject.name)) return problem;
  return check_format(credential.inject.format);
}

// Behind `exec:`: a JSON list of words, or the program alone. Nothing is split at spaces, so nothing can be split wrongly.
std::optional<Problem> check_command(std::string_view text) {
  const std::string example = "for instance: from: {exec: [/usr/bin/pass, show, github]}";
  std::string program(text);
  if (text.starts_with('[')) {
    const auto words = nlohmann::json::parse(text, nullptr, false);
    if (!words.is_array() || words.empty() || !std::ranges::all_of(words, [](const auto& word) { return word.is_string(); }))
      return Problem{"`exec:` has a list that is not a JSON list of words", example};
    for (const auto& word : words)
      if (word.template get_ref<const std::string&>().find('\0') != std::string::npos)
        return Problem{"`exec` has a NUL in it", example};
    program = words.front().get<std::string>();
  } else if (text.find(' ') != std::string_view::npos) {
    return Problem{"`exec:` takes a program without arguments, and this has a space in it", example};
  }
  if (!program.starts_with('/'))
    return Problem{fmt::format("`{}` is not the absolute path of a program", printable(program, 100)), example};
  return std::nullopt;
}

// Behind `vault:`: PATH[?PARAMETERS]#FIELD.
std::optional<Problem> check_vault_path(std::string_view text) {
  const std::string example = "for instance: from: \"vault:secret/data/github#token\"";
  const auto hash = text.find('#');
  const auto path = text.substr(0, std::min(text.find('?'), hash));
  if (hash == std::string_view::npos || hash + 1 == text.size())
    return Problem{"`vault:` names no field", example + "; write it in quotes, for a # begins a comment in YAML"};
  const auto segments = split(path, '/');
  const bool good = segments.size() >= 2 && std::ranges::none_of(segments, [](std::string_view segment) {
    return segment.empty() || segment == "." || segment == ".." || segment.find_first_of("%\\ ") != std::string_view::npos;
  });
  if (!good) return Problem{fmt::format("`{}` is not a path in Vault", printable(path, 100)), example};
  const auto parameters = path.size() < hash ? text.substr(path.size() + 1, hash - path.size() - 1) : std::string_view();
  if (path.size() < hash && parameters.empty()) return Problem{"there is nothing behind the `?`", example};
  if (parameters.empty()) return std::nullopt;
  for (const auto parameter : split(parameters, '&'))
    if (parameter.find('=') == std::string_view::npos || parameter.front() == '=')
      return Problem{fmt::format("`{}` is not NAME=VALUE", printable(parameter, 100)), example};
  return std::nullopt;
}

}  // namespace

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

std::optional<Problem> check_ttl(const Credential& credential) {
  if (credential.ttl_seconds == 0 || credential.from.starts_with("exec:") || credential.from.starts_with("vault:"))
    return std::nullopt;
  return Problem{"`ttl` goes with `from: exec:` and `from: vault:` only", "a value from env:, file: or store: has no end of its own"};
}

std::optional<Problem> check_source(std::string_view from) {
  const auto colon = from.find(':');
  const auto scheme = from.substr(0, colon);
  const auto rest = colon == std::string_view::npos ? std::string_view() : from.substr(colon + 1);
  constexpr std::array<std::string_view, 5> known = {"env", "file", "store", "exec", "vault"};
  const std::string example = "write env:NAME, file:PATH, store:ENTRY, exec:PROGRAM or vault:PATH#FIELD";
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
  if (scheme == "exec") return check_command(rest);
  if (scheme == "vault") return check_vault_path(rest);
  return std::nullopt;
}

std::optional<Problem> check_name(std::string_view what, std::string_view name) {
  const bool good = !name.empty() && name.size() <= 64 && is_alphanumeric(name.front()) &&
                    std::ranges::all_of(name, [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; });
  if (good) return std::nullopt;
  return Problem{fmt::format("`{}` is not a name for a {}", printable(name, 80), what),
                 "up to 64 letters, digits, and - _ . may be used; the first is a letter or a digit"};
}

Result<void> check_document(const Document& document) {
  const auto refuse = [](std::string_view what, std::string_view name, const Problem& problem) {
    return fail("policy_invalid", fmt::format("{} `{}`: {}", what, printable(name, 100), problem.message));
  };
  if (document.default_action == Action::allow)
    return fail("policy_invalid", "`default: allow` is not possible: use deny, ask or log");
  for (const auto& rule : document.rules)
    if (auto problem = check_rule(rule)) return refuse("rule", rule.name, *problem);
  std::set<std::string_view> names;
  for (const auto& credential : document.credentials) {
    if (auto problem = check_credential(credential)) return refuse("credential", credential.name, *problem);
    if (!names.insert(credential.name).second)
      return refuse("credential", credential.name, {"there are two of that name", ""});
  }
  if (const auto conflict = find_conflict(document))
    return refuse("credential", document.credentials[conflict->second].name,
                  {fmt::format("it would set the same header as `{}`", document.credentials[conflict->first].name), ""});
  for (const auto& conflict : find_tunnel_conflicts(document, 1))
    return refuse(
        "rule", document.rules[conflict.tunnel].name,
        {fmt::format(
             "its connections are not looked into, as {} `{}` needs it", conflict.with_credential ? "credential" : "rule",
             conflict.with_credential ? document.credentials[conflict.other].name : document.rules[conflict.other].name),
         ""});
  for (const auto& fixed : document.upstream.resolve) {
    const auto host = canonical_host(fixed.host);
    const auto address = parse_ip(fixed.address);
    if (!host || *host != fixed.host || !address || to_text(*address) != fixed.address || fixed.port == std::uint16_t{0})
      return refuse("resolve", fixed.host, {"it is not in canonical form", ""});
  }
  const auto& limits = document.limits;
  if (limits.inspected_body > kMaxInspected || limits.approval_seconds == 0 || limits.approval_seconds > kMaxApprovalSeconds)
    return fail("policy_invalid", "`limits` are not possible");
  return {};
}

}  // namespace weir::policy
