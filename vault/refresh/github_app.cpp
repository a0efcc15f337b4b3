#include "base/secret_json.h"
#include "base/text.h"
#include "base/time.h"
#include "vault/refresh/exchange.h"
#include "vault/refresh/jwt.h"
#include "vault/secret_text.h"

namespace weir::vault {
namespace {

// GitHub takes ten minutes at most, and advises to date the token back by one, for clocks that differ.
constexpr std::int64_t kDatedBackS = 60, kLastsS = 9 * 60;

std::string quoted(std::string_view text) { return std::string(quoted_json(text).reveal()); }

std::string wanted(const RefreshSettings& settings) {
  std::string body, list;
  for (const auto& repository : settings.scopes)  // GitHub wants the name alone; the owner is the installation's
    list += (list.empty() ? "" : ",") + quoted(std::string_view(repository).substr(repository.find('/') + 1));
  if (!list.empty()) body = R"("repositories":[)" + list + "]";
  list.clear();
  for (const auto& [name, value] : settings.parameters) list += (list.empty() ? "" : ",") + quoted(name) + ":" + quoted(value);
  if (!list.empty()) body += (body.empty() ? "" : ",") + (R"("permissions":{)" + list + "}");
  return "{" + body + "}";
}

std::unexpected<Error> refusal(const http::Answer& answer, const RefreshSettings& settings, std::string_view jwt) {
  const auto json = SecretJson::parse(answer.body.reveal());
  const auto message = json ? json->member("message") : std::nullopt;
  const std::string text = message ? message->plain() : "";
  const std::string words = service_words(text, {jwt}), at = "GitHub at " + printable(settings.url, 200);
  const auto remaining = answer.fields.find("x-ratelimit-remaining");
  if (answer.status == 403 && ((remaining != answer.fields.end() && remaining->second == "0") ||
                               answer.fields.contains("retry-after") || text.find("rate limit") != std::string::npos))
    return fail("refresh_busy", at + " takes no more requests for now" + words);
  if (!message) return fail("refresh_refused", at + " answered " + std::to_string(answer.status) + " and not as GitHub does");
  switch (answer.status) {
    case 401:
      return fail("refresh_denied", at + " does not take the key for the App " + printable(settings.client_id, 60) +
                                        clock_hint(answer) + words);
    case 404:
      return fail("refresh_denied", at + " has no installation " + printable(settings.account, 60) + " of the App " +
                                        printable(settings.client_id, 60) + words);
    case 422:
      return fail("refresh_denied", at + " does not give these repositories or permissions to the installation" + words);
    default:
      return fail("refresh_denied", at + " gives no token (status " + std::to_string(answer.status) + ")" + words);
  }
}

}  // namespace

Result<Exchanged> exchange_github_app(http::Client& client, const RefreshSettings& given, const Secret& base, const Secret&) {
  RefreshSettings settings = given;
  if (settings.url.empty()) settings.url = "https://api.github.com";
  while (settings.url.ends_with('/')) settings.url.pop_back();
  const std::int64_t now = wall_clock_us() / 1'000'000;
  const std::string claims = R"({"iat":)" + std::to_string(now - kDatedBackS) + R"(,"exp":)" + std::to_string(now + kLastsS) +
                             R"(,"iss":)" + quoted(settings.client_id) + "}";
  const auto jwt = signed_jwt(R"({"alg":"RS256","typ":"JWT"})", claims, base.reveal(), "the GitHub App's key");
  if (!jwt) return std::unexpected(jwt.error());
  const Secret authorization = joined({"Bearer ", jwt->reveal()});
  const Secret body(wanted(settings));
  auto answer = ask(client, {.url = settings.url + "/app/installations/" + settings.account + "/access_tokens",
                             .fields = {{"Accept", "application/vnd.github+json"}, {"X-GitHub-Api-Version", "2022-11-28"},
                                        {"User-Agent", "weir"}, {"Content-Type", "application/json"},
                                        {"Authorization", authorization.reveal()}},
                             .body = &body});
  if (!answer) return std::unexpected(answer.error());
  if (answer->status >= 300) return refusal(*answer, settings, jwt->reveal());
  const auto json = SecretJson::parse(answer->body.reveal());
  const auto token = json ? json->member("token") : std::nullopt, expires = json ? json->member("expires_at") : std::nullopt;
  const auto ends = expires ? parse_timestamp(expires->plain()) : std::nullopt;
  if (!token || !token->is(SecretJson::Kind::string) || !ends)
    return fail("refresh_refused", "GitHub at " + printable(settings.url, 200) + " gave no token with an end");
  const std::int64_t lasts = *ends - service_time_s(*answer);
  if (lasts <= 0) return fail("refresh_refused", "GitHub at " + printable(settings.url, 200) + " gave a token that is over already");
  auto value = usable_token(token->text(), settings.url);
  if (!value) return std::unexpected(value.error());
  return Exchanged{std::move(*value), lasts * 1000};
}

}  // namespace weir::vault
