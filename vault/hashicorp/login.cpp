#include "vault/hashicorp/login.h"

#include <unistd.h>

#include <string_view>
#include <utility>

#include "base/file.h"
#include "base/paths.h"
#include "base/secret_json.h"
#include "base/text.h"
#include "vault/secret_text.h"
#include "vault/vault.h"

namespace weir::vault {
namespace {

constexpr std::string_view kServiceAccount = "/var/run/secrets/kubernetes.io/serviceaccount/token";

Result<Secret> from_settings(const std::string& source) {
  if (!source.starts_with("env:") && !source.starts_with("file:"))
    return fail("vault_settings",
                "the secret of Vault's login comes from env:NAME or file:PATH, never from the policy itself");
  return Vault().fetch(source);
}

Result<Secret> login_secret(const ServerSettings& settings) {
  if (!settings.secret.empty()) return from_settings(settings.secret);
  if (settings.method == "token") {
    if (auto token = from_settings("env:VAULT_TOKEN"); token || token.error().code != "vault_env_unset") return token;
    const std::string file = home_directory() + "/.vault-token";
    if (::access(file.c_str(), F_OK) == 0) return from_settings("file:" + file);
    return fail("vault_settings",
                "there is no token for Vault: set VAULT_TOKEN, run `vault login`, or give `vault: {auth: …}` in the policy");
  }
  if (settings.method ==
      "kubernetes") {  // 0644 in most clusters: read_secret_file() would refuse it, and nobody else is in the pod
    auto text = read_file(std::string(kServiceAccount), 1U << 16);
    if (!text) return fail("vault_settings", "Vault's login by kubernetes: " + text.error().message);
    Secret token(trim(*text));
    wipe(text->data(), text->size());
    return token;
  }
  return fail("vault_settings", "Vault's login by " + settings.method + " needs `secret: env:NAME` or `secret: file:PATH`");
}

Result<Token> token_in(const Secret& answer, std::string_view method) {
  const auto json = SecretJson::parse(answer.reveal());
  const auto auth = json ? json->member("auth") : std::nullopt;
  const auto value = auth ? auth->member("client_token") : std::nullopt;
  if (!value || !value->is(SecretJson::Kind::string) || value->text().empty())
    return fail(
        "vault_refused",
        "Vault's login by " + std::string(method) + " gave no token" +
            (auth && auth->member("mfa_requirement") ? "; it asks for a second factor, which weir cannot give" : ""));
  Token token;
  token.value = value->text();
  token.own = true;
  if (const auto renewable = auth->member("renewable")) token.renewable = renewable->boolean();
  if (const auto seconds = auth->member("lease_duration")) token.lasts_ms = seconds->number() * 1000;
  return token;
}

// What a wrapping token stands for: the secret_id, the token, or the one string among its data.
Result<Secret> unwrap(VaultClient& client, const Secret& wrapping) {
  auto answer = client.call({.method = "POST", .path = "sys/wrapping/unwrap", .token = &wrapping, .repeatable = false});
  if (!answer)
    return fail(answer.error().code,
                "the wrapped secret of Vault's login cannot be unwrapped (it can be only once, and only for a while): " +
                    answer.error().message);
  const auto json = SecretJson::parse(answer->reveal());
  if (json) {
    if (const auto token = json->at({"auth", "client_token"}); token && token->is(SecretJson::Kind::string))
      return token->text();
    if (const auto data = json->member("data"); data && data->is(SecretJson::Kind::object)) {
      if (const auto id = data->member("secret_id"); id && id->is(SecretJson::Kind::string)) return id->text();
      const auto names = data->names();
      if (names.size() == 1)
        if (const auto only = data->member(names.front()); only && only->is(SecretJson::Kind::string)) return only->text();
    }
  }
  return fail("vault_refused", "what was wrapped for Vault's login is neither a token, nor a secret_id, nor one string");
}

// The token that was given: what is known of its time. One without the right to look itself up serves all the same.
Token look_up(VaultClient& client, Secret value) {
  Token token{std::move(value)};
  const auto answer = client.call({.path = "auth/token/lookup-self", .token = &token.value});
  const auto json = answer ? SecretJson::parse(answer->reveal()) : std::nullopt;
  if (!json) return token;
  if (const auto seconds = json->at({"data", "ttl"})) token.lasts_ms = seconds->number() * 1000;
  if (const auto renewable = json->at({"data", "renewable"})) token.renewable = renewable->boolean();
  return token;
}

}  // namespace

Result<Token> log_in(VaultClient& client) {
  const ServerSettings& settings = client.settings();
  const std::string& method = settings.method;
  Secret secret;
  if (method != "cert") {
    auto given = login_secret(settings);
    if (!given) return std::unexpected(given.error());
    secret = std::move(*given);
    if (settings.wrapped) {
      auto inner = unwrap(client, secret);
      if (!inner) return std::unexpected(inner.error());
      secret = std::move(*inner);
      if (method == "token") {
        Token token = look_up(client, std::move(secret));
        token.own = true;  // it was made for us alone
        return token;
      }
    }
  }
  if (method == "token") return look_up(client, std::move(secret));

  const Secret quoted = quoted_json(secret.reveal());
  const Secret role = quoted_json(settings.role);
  std::string path = "auth/" + settings.mount + "/login";
  Secret body;
  if (method == "approle") {
    body = joined({R"({"role_id":)", role.reveal(), R"(,"secret_id":)", quoted.reveal(), "}"});
  } else if (method == "userpass") {
    path += "/" + settings.user;
    body = joined({R"({"password":)", quoted.reveal(), "}"});
  } else if (method == "cert") {
    body = settings.role.empty() ? Secret("{}") : joined({R"({"name":)", role.reveal(), "}"});
  } else {  // jwt, kubernetes
    body = joined({R"({"role":)", role.reveal(), R"(,"jwt":)", quoted.reveal(), "}"});
  }
  auto answer = client.call({.method = "POST", .path = path, .body = &body, .repeatable = false});
  if (!answer) return fail(answer.error().code, "Vault's login by " + method + ": " + answer.error().message);
  return token_in(*answer, method);
}

Result<std::int64_t> renew_token(VaultClient& client, const Token& token) {
  const Secret body("{}");
  const auto answer = client.call({.method = "POST", .path = "auth/token/renew-self", .token = &token.value, .body = &body});
  if (!answer) return std::unexpected(answer.error());
  const auto json = SecretJson::parse(answer->reveal());
  const auto seconds = json ? json->at({"auth", "lease_duration"}) : std::nullopt;
  if (!seconds) return fail("vault_refused", "Vault renewed the token without saying for how long");
  return seconds->number() * 1000;
}

}  // namespace weir::vault
