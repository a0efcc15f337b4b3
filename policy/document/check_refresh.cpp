// What a credential is exchanged for: `refresh`.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"
#include "policy/canonical.h"
#include "policy/document/characters.h"
#include "policy/document/check_credential.h"
#include "policy/matching/ip_address.h"
#include "policy/target.h"

namespace weir::policy {

namespace {

constexpr std::size_t kMaxText = 2048;
// What weir writes into the form itself (RFC 6749 §4.4.2, §6; RFC 7521 §4.2).
constexpr std::array<std::string_view, 7> kOwnParameters = {"grant_type", "client_id", "client_secret", "refresh_token",
                                                            "scope", "client_assertion", "client_assertion_type"};

Problem not_printable(std::string_view what, std::string_view text, std::string hint = {}) {
  return {fmt::format("`{}` is not {}", printable(text, 100), what), std::move(hint)};
}

bool is_visible(std::string_view text, std::size_t most) {
  return !text.empty() && text.size() <= most && std::ranges::all_of(text, [](char c) { return is_printable_ascii(c) && c != ' '; });
}

bool is_loopback(std::string_view host) { return host == "::1" || address_in(host, "127.0.0.0/8"); }

template <class Values, class Check>
std::optional<Problem> first_problem(const Values& values, Check&& check) {
  for (const auto& value : values)
    if (auto problem = check(value)) return problem;
  return std::nullopt;
}

template <class Check>
std::optional<Problem> unless_empty(std::string_view text, Check&& check) {
  return text.empty() ? std::nullopt : check(text);
}

std::optional<Problem> check_pairs(const Refresh& refresh, std::optional<Problem> (*check_name)(std::string_view),
                                   std::optional<Problem> (*check_value)(std::string_view)) {
  std::set<std::string_view> names;
  for (const auto& [name, value] : refresh.parameters) {
    if (auto problem = check_name(name)) return problem;
    if (auto problem = check_value(value)) return problem;
    if (!names.insert(name).second) return Problem{fmt::format("`{}` is there twice", name), ""};
  }
  return std::nullopt;
}

std::optional<Problem> check_oauth2(const Refresh& refresh) {
  if (auto problem = check_endpoint(refresh.url)) return problem;
  if (auto problem = check_grant(refresh.grant)) return problem;
  if (auto problem = check_client_id(refresh.client_id)) return problem;
  if (auto problem = unless_empty(refresh.client_secret, check_plain_source)) return problem;
  if (auto problem = first_problem(refresh.scopes, check_scope)) return problem;
  return check_pairs(refresh, check_form_name, check_form_value);
}

std::optional<Problem> check_github_app(const Refresh& refresh) {
  if (auto problem = check_base_url(refresh.url)) return problem;
  if (auto problem = check_client_id(refresh.client_id)) return problem;
  if (auto problem = check_number(refresh.account)) return problem;
  if (auto problem = first_problem(refresh.scopes, check_repository)) return problem;
  return check_pairs(refresh, check_permission, check_access);
}

std::optional<Problem> check_google(const Refresh& refresh) {
  if (refresh.scopes.empty()) return Problem{"`google` has no scopes", ""};
  if (auto problem = first_problem(refresh.scopes, check_scope)) return problem;
  if (auto problem = unless_empty(refresh.account, check_subject)) return problem;
  return unless_empty(refresh.url, check_endpoint);
}

std::optional<Problem> check_aws_role(const Refresh& refresh) {
  if (auto problem = check_role(refresh.account)) return problem;
  if (auto problem = check_region(refresh.region)) return problem;
  if (auto problem = unless_empty(refresh.session, check_session_name)) return problem;
  if (auto problem = unless_empty(refresh.external_id, check_external_id)) return problem;
  if (auto problem = refresh.duration_seconds == 0 ? std::nullopt : check_role_duration(refresh.duration_seconds)) return problem;
  return unless_empty(refresh.url, check_base_url);
}

}  // namespace

// SECURITY: G2, what is sent there is a secret: over TLS always, but to a service on this very machine.
std::optional<Problem> check_endpoint(std::string_view url) {
  const std::string example = "for instance: https://login.example.com/oauth/token";
  const auto shown = printable(url, 200);
  if (!is_visible(url, kMaxText) || url.find('\\') != std::string_view::npos)
    return Problem{fmt::format("`{}` has characters that no URL has, or is too long", shown), example};
  const bool https = url.starts_with("https://");
  if (!https && !url.starts_with("http://")) return Problem{fmt::format("`{}` is not an https URL", shown), example};
  if (url.find('#') != std::string_view::npos) return Problem{fmt::format("`{}` has a fragment, which is never sent", shown), "remove it, from the # on"};
  const auto authority = url.substr(url.find("://") + 3, url.find_first_of("/?", url.find("://") + 3) - url.find("://") - 3);
  // Never shown: it may hold a password.
  if (authority.find('@') != std::string_view::npos) return Problem{"the URL has a user name or password in it", "the secret is what `from` gives"};
  const auto target = parse_target(url);
  if (!target) return Problem{target.error().message, example};
  if (target->host.find(':') != std::string::npos && !authority.starts_with('['))
    return Problem{fmt::format("`{}` has an IPv6 address without brackets", shown), "for instance: https://[::1]:8443/token"};
  if (target->path.ambiguous) return Problem{fmt::format("`{}` has a path that can be read in two ways", shown), example};
  if (!https && !is_loopback(target->host))
    return Problem{fmt::format("`{}` is not https, and a secret is sent there", shown), "http is for 127.0.0.1 and [::1] alone"};
  return std::nullopt;
}

std::optional<Problem> check_base_url(std::string_view url) {
  if (auto problem = check_endpoint(url)) return problem;
  if (url.find('?') != std::string_view::npos)
    return Problem{fmt::format("`{}` has a query, and more of a path will follow it", printable(url, 200)), "remove it, from the ? on"};
  return std::nullopt;
}

std::optional<Problem> check_grant(std::string_view grant) {
  constexpr std::array<std::string_view, 2> kGrants = {"client_credentials", "refresh_token"};
  if (std::ranges::find(kGrants, grant) != kGrants.end()) return std::nullopt;
  const auto near = nearest(grant, kGrants);
  return not_printable("a grant", grant, near ? fmt::format("did you mean `{}`?", *near) : "one of: client_credentials, refresh_token");
}

std::optional<Problem> check_client_id(std::string_view id) {  // RFC 6749 appendix A.1, without spaces
  if (is_visible(id, 512)) return std::nullopt;
  return not_printable("an identifier of a client", id);
}

std::optional<Problem> check_scope(std::string_view scope) {  // RFC 6749 §3.3
  if (is_visible(scope, 512) && scope.find_first_of("\"\\") == std::string_view::npos) return std::nullopt;
  return not_printable("one scope", scope, "each scope is an entry of its own: scopes: [read, write]");
}

std::optional<Problem> check_form_name(std::string_view name) {
  if (!is_visible(name, 128)) return not_printable("the name of a parameter", name);
  if (std::ranges::find(kOwnParameters, name) == kOwnParameters.end()) return std::nullopt;
  return Problem{fmt::format("`{}` is a parameter that weir itself sends", name), "the keys beside `parameters` say what it is"};
}

std::optional<Problem> check_form_value(std::string_view value) {
  if (value.size() <= kMaxText && std::ranges::none_of(value, is_control) && valid_utf8_prefix(value) == value.size()) return std::nullopt;
  return Problem{"a value of `parameters` has control characters or is too long", ""};
}

std::optional<Problem> check_number(std::string_view number) {
  if (is_number(number, 18)) return std::nullopt;
  return not_printable("the number of an installation", number, "it stands at the end of the installation's URL: installation: \"678\"");
}

std::optional<Problem> check_repository(std::string_view name) {
  if (is_word(name, "._-", 100)) return std::nullopt;
  return not_printable("the name of a repository", name, name.find('/') == std::string_view::npos ? "" : "write it without its owner");
}

std::optional<Problem> check_permission(std::string_view name) {
  if (is_word(name, "_-", 64)) return std::nullopt;
  return not_printable("a permission", name, "for instance: permissions: {contents: read}");
}

std::optional<Problem> check_access(std::string_view access) {
  constexpr std::array<std::string_view, 3> kAccess = {"read", "write", "admin"};
  if (std::ranges::find(kAccess, access) != kAccess.end()) return std::nullopt;
  return not_printable("read, write or admin", access, "for instance: permissions: {contents: read}");
}

std::optional<Problem> check_subject(std::string_view subject) {
  if (is_visible(subject, 320)) return std::nullopt;
  return not_printable("a user's address", subject, "for instance: subject: someone@example.com");
}

// What AWS STS takes: API reference, AssumeRole.
std::optional<Problem> check_role(std::string_view arn) {
  const auto parts = split(arn, ':');
  const bool good = parts.size() == 6 && parts[0] == "arn" && is_word(parts[1], "-", 32) && parts[2] == "iam" && parts[3].empty() &&
                    parts[4].size() == 12 && std::ranges::all_of(parts[4], is_digit) && parts[5].starts_with("role/") &&
                    is_word(parts[5].substr(5), "_+=,.@/-", 576);
  if (good) return std::nullopt;
  return not_printable("the ARN of a role", arn, "for instance: role: \"arn:aws:iam::123456789012:role/reader\"");
}

std::optional<Problem> check_session_name(std::string_view name) {
  if (name.size() >= 2 && is_word(name, "_+=,.@-", 64)) return std::nullopt;
  return not_printable("the name of a role's session", name, "2 to 64 letters, digits and _ + = , . @ - may be used");
}

std::optional<Problem> check_external_id(std::string_view id) {
  if (id.size() >= 2 && is_word(id, "_+=,.@:/-", 1224)) return std::nullopt;
  return not_printable("an external id", id, "2 to 1224 letters, digits and _ + = , . @ : / - may be used");
}

std::optional<Problem> check_role_duration(std::uint32_t seconds) {
  if (seconds >= kMinRoleSeconds && seconds <= kMaxRoleSeconds) return std::nullopt;
  return Problem{"`duration` is not between 15min and 12h", "for instance: duration: 1h"};
}

std::vector<Contradiction> find_contradictions(const Refresh& refresh) {
  std::vector<Contradiction> found;
  if (refresh.kind == Refresh::Kind::oauth2) {
    const bool exchanges_token = refresh.grant == "refresh_token";
    if (refresh.grant == "client_credentials" && !refresh.client_secret.empty())
      found.push_back({"client_secret", {"`client_secret` has no place beside `grant: client_credentials`: it is what `from` gives", "remove it"}});
    if (exchanges_token && refresh.client_secret.empty() && refresh.secret_in_body)
      found.push_back({"client_auth", {"`client_auth` has no effect without `client_secret`", "remove it"}});
  }
  if (refresh.kind == Refresh::Kind::aws_role && refresh.web_identity && !refresh.external_id.empty())
    found.push_back({"external_id", {"`external_id` has no place beside `web_identity`", "remove it"}});
  return found;
}

std::optional<Problem> check_refresh(const Refresh& refresh) {
  for (auto& found : find_contradictions(refresh)) return std::move(found.problem);
  switch (refresh.kind) {
    case Refresh::Kind::none:
      return refresh == Refresh{} ? std::nullopt : std::optional(Problem{"`refresh` is of no kind", ""});
    case Refresh::Kind::oauth2:
      return check_oauth2(refresh);
    case Refresh::Kind::github_app:
      return check_github_app(refresh);
    case Refresh::Kind::google:
      return check_google(refresh);
    case Refresh::Kind::aws_role:
      return check_aws_role(refresh);
  }
  return Problem{"`refresh` is of no known kind", ""};
}

}  // namespace weir::policy
