#include <charconv>

#include "base/secret_json.h"
#include "base/text.h"
#include "vault/refresh/exchange.h"
#include "vault/secret_text.h"

namespace weir::vault {
namespace {

// RFC 6749 §5.2.
std::string in_words(std::string_view error) {
  static constexpr std::pair<std::string_view, std::string_view> kWords[] = {
      {"invalid_client", "it does not know the client, or the client's secret is wrong, or is to be sent another way (client_auth)"},
      {"invalid_grant", "what it was given has expired, was taken back, was used before, or is not this client's; log in anew"},
      {"unauthorized_client", "this client may not use this grant"},
      {"unsupported_grant_type", "it does not know this grant"},
      {"invalid_scope", "it does not give the scopes that were asked for"},
      {"invalid_request", "it misses something in the request, or something is there twice"},
      {"access_denied", "it denies access"}};
  for (const auto& [code, words] : kWords)
    if (code == error) return std::string(words) + " (" + std::string(code) + ")";
  return "it says " + printable(error, 80);
}

// Seconds, as a number or (some services) as a string of digits. 0: not said. -1: it makes no sense.
std::int64_t seconds_of(const std::optional<SecretJson>& given) {
  if (!given || given->is(SecretJson::Kind::null)) return 0;
  const std::string text = given->plain();
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || !(seconds >= 1) || seconds > 1e9) return -1;
  return static_cast<std::int64_t>(seconds);
}

Result<Exchanged> read_answer(const http::Answer& answer, const RefreshSettings& settings, const Secret& base,
                              const Secret& client_secret) {
  const std::string at = printable(settings.url, 200);
  const auto json = SecretJson::parse(answer.body.reveal());
  if (const auto error = json ? json->member("error") : std::nullopt; error && error->is(SecretJson::Kind::string)) {
    const auto description = json->member("error_description");
    const std::string code = error->plain();
    const bool passes = code == "temporarily_unavailable" || code == "server_error" || code == "slow_down";
    return fail(passes ? "refresh_busy" : "refresh_denied",
                at + " gives no token: " + in_words(code) +
                    service_words(description ? description->plain() : "", {base.reveal(), client_secret.reveal()}));
  }
  const auto token = json ? json->member("access_token") : std::nullopt;
  if (answer.status >= 300 || !token || !token->is(SecretJson::Kind::string))
    return fail("refresh_refused", at + " answered " + std::to_string(answer.status) + " and gave " +
                                       (json ? "neither a token nor an error" : "no JSON") + ", so it is no token endpoint");
  // RFC 6749 §7.1: a token of a kind that one does not know is not to be used.
  const auto type = json->member("token_type");
  const std::string kind = type ? to_lower(type->plain()) : "";
  if (kind == "mac" || kind == "dpop" || kind == "pop")
    return fail("refresh_refused", at + " gives tokens of the kind " + kind + ", which weir cannot use; it needs bearer tokens");
  const std::int64_t seconds = seconds_of(json->member("expires_in"));
  if (seconds < 0) return fail("refresh_refused", at + " gave a token whose expires_in is no time to come");
  auto value = usable_token(token->text(), settings.url);
  if (!value) return std::unexpected(value.error());
  Exchanged exchanged{std::move(*value), seconds * 1000};
  if (const auto next = json->member("refresh_token");
      settings.grant == "refresh_token" && next && next->is(SecretJson::Kind::string)) {
    Secret refresh_token = next->text();
    if (!refresh_token.empty() && refresh_token.reveal() != base.reveal()) exchanged.next_base = std::move(refresh_token);
  }
  return exchanged;
}

}  // namespace

Result<Exchanged> exchange_oauth2(http::Client& client, const RefreshSettings& settings, const Secret& base,
                                  const Secret& client_secret) {
  const bool refreshes = settings.grant == "refresh_token";
  const Secret& secret = refreshes ? client_secret : base;
  std::vector<std::pair<std::string_view, std::string_view>> form{{"grant_type", settings.grant}};
  if (refreshes) form.emplace_back("refresh_token", base.reveal());
  std::string scopes;
  for (const auto& scope : settings.scopes) scopes += (scopes.empty() ? "" : " ") + scope;
  if (!scopes.empty()) form.emplace_back("scope", scopes);
  for (const auto& [name, value] : settings.parameters) form.emplace_back(name, value);
  const bool basic = !secret.empty() && !settings.secret_in_body;
  if (!basic) form.emplace_back("client_id", settings.client_id);
  if (!basic && !secret.empty()) form.emplace_back("client_secret", secret.reveal());
  const Secret body = form_body(form);

  http::Request request{.url = settings.url, .fields = {{"Accept", "application/json"}, {"User-Agent", "weir"},
                        {"Content-Type", "application/x-www-form-urlencoded"}}, .body = &body,
                        .repeatable = !refreshes};  // a refresh token may serve only once
  Secret authorization;
  if (basic) {  // RFC 6749 §2.3.1: form-encoded, then as RFC 7617 has it
    const Secret pair = joined({form_encoded(settings.client_id).reveal(), ":", form_encoded(secret.reveal()).reveal()});
    authorization = joined({"Basic ", base64(pair.reveal()).reveal()});
    request.fields.emplace_back("Authorization", authorization.reveal());
  }
  auto answer = ask(client, std::move(request));
  if (!answer) return std::unexpected(answer.error());
  return read_answer(*answer, settings, base, client_secret);
}

}  // namespace weir::vault
