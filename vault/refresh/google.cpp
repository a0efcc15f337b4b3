#include "base/secret_json.h"
#include "base/text.h"
#include "base/time.h"
#include "vault/http/address.h"
#include "vault/refresh/exchange.h"
#include "vault/refresh/jwt.h"
#include "vault/secret_text.h"

namespace weir::vault {
namespace {

constexpr std::int64_t kDatedBackS = 30;  // for clocks that differ
constexpr std::int64_t kLastsS = 3600;    // the longest that Google takes
constexpr std::string_view kWhat = "the service account's key";

struct Account {
  Secret key;
  std::string email, key_id, token_url;
};

std::string quoted(std::string_view text) { return std::string(quoted_json(text).reveal()); }

Result<Account> read_account(const Secret& base) {
  const auto json = SecretJson::parse(base.reveal());
  const auto text = [&](std::string_view name) {
    const auto member = json->member(name);
    return member && member->is(SecretJson::Kind::string) ? member->plain() : std::string();
  };
  if (!json || !json->is(SecretJson::Kind::object))
    return fail("refresh_invalid", std::string(kWhat) + " is no JSON; it is the file that Google gives for one");
  if (const std::string type = text("type"); type != "service_account")
    return fail("refresh_invalid", std::string(kWhat) + " is of the type `" + printable(type, 60) + "`, not `service_account`" +
                                       (type == "authorized_user" ? "; for a user's refresh token there is refresh: oauth2" : ""));
  Account account{{}, text("client_email"), text("private_key_id"), text("token_uri")};
  const auto key = json->member("private_key");
  if (account.email.empty() || !key || !key->is(SecretJson::Kind::string))
    return fail("refresh_invalid", std::string(kWhat) + " has no client_email or no private_key");
  account.key = key->text();
  return account;
}

std::string claims_of(const RefreshSettings& settings, const Account& account) {
  std::string scopes;
  for (const auto& scope : settings.scopes) scopes += (scopes.empty() ? "" : " ") + scope;
  const std::int64_t from = wall_clock_us() / 1'000'000 - kDatedBackS;
  return R"({"iss":)" + quoted(account.email) + (settings.account.empty() ? "" : R"(,"sub":)" + quoted(settings.account)) +
         R"(,"scope":)" + quoted(scopes) + R"(,"aud":)" + quoted(account.token_url) + R"(,"iat":)" + std::to_string(from) +
         R"(,"exp":)" + std::to_string(from + kLastsS) + "}";
}

}  // namespace

Result<Exchanged> exchange_google(http::Client& client, const RefreshSettings& settings, const Secret& base, const Secret&) {
  auto account = read_account(base);
  if (!account) return std::unexpected(account.error());
  if (!settings.url.empty()) account->token_url = settings.url;
  if (account->token_url.empty()) account->token_url = "https://oauth2.googleapis.com/token";
  if (auto good = http::check_address(account->token_url, "token_uri"); !good) return std::unexpected(good.error());
  const std::string header =
      R"({"alg":"RS256","typ":"JWT")" + (account->key_id.empty() ? "" : R"(,"kid":)" + quoted(account->key_id)) + "}";
  const auto jwt = signed_jwt(header, claims_of(settings, *account), account->key.reveal(), "the private_key of " + std::string(kWhat));
  if (!jwt) return std::unexpected(jwt.error());
  const Secret body = form_body({{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"}, {"assertion", jwt->reveal()}});
  auto answer = ask(client, {.url = account->token_url,
                             .fields = {{"Accept", "application/json"}, {"User-Agent", "weir"},
                                        {"Content-Type", "application/x-www-form-urlencoded"}},
                             .body = &body});
  if (!answer) return std::unexpected(answer.error());
  const std::string at = printable(account->token_url, 200);
  const auto json = SecretJson::parse(answer->body.reveal());
  const auto token = json ? json->member("access_token") : std::nullopt;
  if (const auto error = json ? json->member("error") : std::nullopt; error && error->is(SecretJson::Kind::string)) {
    const auto description = json->member("error_description");
    return fail("refresh_denied", at + " gives no token to " + printable(account->email, 120) + " (" + printable(error->plain(), 80) +
                                      ")" + clock_hint(*answer) +
                                      service_words(description ? description->plain() : "", {jwt->reveal(), account->key.reveal()}));
  }
  const auto seconds = json ? json->member("expires_in") : std::nullopt;
  if (answer->status >= 300 || !token || !token->is(SecretJson::Kind::string) || !seconds || seconds->number() <= 0)
    return fail("refresh_refused", at + " answered " + std::to_string(answer->status) + " and gave neither a token with its time nor an error");
  auto value = usable_token(token->text(), account->token_url);
  if (!value) return std::unexpected(value.error());
  return Exchanged{std::move(*value), seconds->number() * 1000};
}

}  // namespace weir::vault
