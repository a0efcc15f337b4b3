#include <algorithm>
#include <array>
#include <string_view>

#include "base/text.h"
#include "vault/http/address.h"
#include "vault/refresh.h"

namespace weir::vault {
namespace {

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool is_made_of(std::string_view text, std::string_view more) {
  return !text.empty() && std::ranges::all_of(text, [&](char c) { return is_letter_or_digit(c) || more.find(c) != std::string_view::npos; });
}

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_plain(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::unexpected<Error> wrong(std::string_view what, std::string_view value, std::string_view why) {
  return fail("refresh_invalid", "refresh: " + std::string(what) + " `" + printable(value, 200) + "` " + std::string(why));
}

Result<void> check_oauth2(const RefreshSettings& settings) {
  if (settings.url.empty()) return fail("refresh_invalid", "refresh: oauth2 needs `token_url`");
  if (settings.grant != "client_credentials" && settings.grant != "refresh_token")
    return wrong("grant", settings.grant, "is neither client_credentials nor refresh_token");
  if (settings.client_id.empty() || !is_plain(settings.client_id)) return wrong("client_id", settings.client_id, "is no client's id");
  if (!settings.client_secret.empty() && settings.grant != "refresh_token")
    return fail("refresh_invalid", "refresh: with client_credentials the client's secret is what `from` gives; leave out `client_secret`");
  for (const auto& [name, value] : settings.parameters) {
    static constexpr std::array<std::string_view, 4> kOurs = {"grant_type", "client_id", "client_secret", "refresh_token"};
    if (name.empty() || std::ranges::find(kOurs, name) != kOurs.end() || (name == "scope" && !settings.scopes.empty()))
      return wrong("the parameter", name, "has a key of its own");
  }
  return {};
}

Result<void> check_github_app(const RefreshSettings& settings) {
  if (!is_made_of(settings.client_id, ".-_")) return wrong("app", settings.client_id, "is no App's id");
  if (!is_number(settings.account)) return wrong("installation", settings.account, "is no installation's number");
  for (const auto& repository : settings.scopes)
    if (!is_made_of(repository.substr(repository.find('/') + 1), ".-_")) return wrong("repositories:", repository, "is no repository's name");
  for (const auto& [name, value] : settings.parameters)
    if (!is_made_of(name, "_") || (value != "read" && value != "write" && value != "admin"))
      return wrong("permissions:", name + ": " + value, "is not a permission with read, write or admin");
  return {};
}

Result<void> check_aws_role(const RefreshSettings& settings) {
  const std::string_view role = settings.account;
  if (!role.starts_with("arn:aws") || role.find(":role/") == std::string_view::npos || !is_made_of(role, ":/+=,.@-_"))
    return wrong("role", role, "is no role's ARN (arn:aws:iam::123456789012:role/NAME)");
  if (!settings.region.empty() && !is_made_of(settings.region, "-")) return wrong("region", settings.region, "is no region");
  if (!settings.session.empty() && (!is_made_of(settings.session, "_+=,.@-") || settings.session.size() < 2 || settings.session.size() > 64))
    return wrong("session", settings.session, "is no session's name (2 to 64 letters, digits and _+=,.@-)");
  if (!is_plain(settings.external_id)) return wrong("external_id", settings.external_id, "has control characters");
  if (settings.web_identity && !settings.external_id.empty())
    return fail("refresh_invalid", "refresh: `external_id` is not for web_identity");
  if (settings.duration_seconds != 0 && (settings.duration_seconds < 900 || settings.duration_seconds > 43200))
    return wrong("duration", std::to_string(settings.duration_seconds) + "s", "is not between 15 minutes and 12 hours");
  if (settings.url.find('?') != std::string::npos) return wrong("endpoint", settings.url, "may have no query");
  return {};
}

}  // namespace

Result<void> check_refresh(const RefreshSettings& settings) {
  using Kind = RefreshSettings::Kind;
  if (!settings.url.empty())
    if (auto good = http::check_address(settings.url, "refresh"); !good) return good;
  for (const auto& scope : settings.scopes)
    if (scope.empty() || !is_plain(scope) || scope.find(' ') != std::string::npos) return wrong("scope", scope, "is no scope");
  switch (settings.kind) {
    case Kind::oauth2:
      return check_oauth2(settings);
    case Kind::github_app:
      return check_github_app(settings);
    case Kind::google:
      if (settings.scopes.empty()) return fail("refresh_invalid", "refresh: google needs `scopes`");
      return is_plain(settings.account) ? Result<void>{} : wrong("subject", settings.account, "has control characters");
    case Kind::aws_role:
      return check_aws_role(settings);
    case Kind::none:
      break;
  }
  return {};
}

}  // namespace weir::vault
