#include "keeper/prepared_policy.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "base/file.h"

namespace weir::keeper {
namespace {

constexpr std::size_t kAtOnce = 8;

bool holds_certificate(const std::string& pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  X509_free(certificate);
  ERR_clear_error();
  return certificate != nullptr;
}

vault::ServerSettings server_of(const policy::VaultServer& given) {
  return {.address = given.address,
          .name_space = given.name_space,
          .ca_file = given.ca_file,
          .ca_path = given.ca_path,
          .client_certificate = given.client_certificate,
          .client_key = given.client_key,
          .server_name = given.server_name,
          .method = given.method,
          .mount = given.mount,
          .role = given.role,
          .user = given.user,
          .secret = given.secret,
          .wrapped = given.wrapped};
}

vault::RefreshSettings refresh_of(const policy::Refresh& given, const std::string& ca_pem) {
  using From = policy::Refresh::Kind;
  using To = vault::RefreshSettings::Kind;
  const To kind = given.kind == From::oauth2       ? To::oauth2
                  : given.kind == From::github_app ? To::github_app
                  : given.kind == From::google     ? To::google
                  : given.kind == From::aws_role   ? To::aws_role
                                                   : To::none;
  if (kind == To::none) return {};
  return {.kind = kind,
          .url = given.url,
          .grant = given.grant,
          .client_id = given.client_id,
          .client_secret = given.client_secret,
          .secret_in_body = given.secret_in_body,
          .account = given.account,
          .scopes = given.scopes,
          .parameters = given.parameters,
          .region = given.region,
          .session = given.session,
          .external_id = given.external_id,
          .web_identity = given.web_identity,
          .duration_seconds = given.duration_seconds,
          .ca_pem = ca_pem};
}

vault::Purpose purpose_of(const policy::Credential& credential) {
  using Kind = policy::Injection::Kind;
  if (credential.inject.kind == Kind::client_certificate) return vault::Purpose::client_certificate;
  return credential.inject.kind == Kind::aws_sigv4 ? vault::Purpose::aws_keys : vault::Purpose::text;
}

bool takes_its_time(const policy::Credential& credential) {
  return credential.from.starts_with("exec:") || credential.from.starts_with("vault:") ||
         credential.refresh.kind != policy::Refresh::Kind::none;
}

bool uses_store(const policy::Credential& credential) {
  return credential.from.starts_with("store:") || credential.refresh.client_secret.starts_with("store:");
}

bool is_of_a_login(const policy::Document& document, const policy::Credential& credential) {
  return std::ranges::any_of(document.oauth, [&](const auto& capture) {
    return std::ranges::any_of(capture.keep, [&](const auto& kept) { return kept.second == credential.name; });
  });
}

// Those that take their time (a program, Vault, an exchange) are fetched at the same time, a few at once; the first error of any ends
// it. What a login inside is yet to bring (`oauth`) is absent where its entry is not there.
Result<std::vector<vault::Obtained>> fetch_credentials(const policy::Document& document, const std::string& ca_pem, vault::Vault& vault,
                                                       bool may_ask) {
  const auto& credentials = document.credentials;
  if (may_ask && std::ranges::any_of(credentials, uses_store))
    if (auto unlocked = vault.unlock(); !unlocked) return std::unexpected(unlocked.error());

  std::vector<std::optional<Result<vault::Obtained>>> results(credentials.size());
  std::atomic<bool> failed = false;
  const auto fetch = [&](std::size_t i) {
    const auto& credential = credentials[i];
    auto value = vault.obtain({.from = credential.from,
                               .ttl_seconds = credential.ttl_seconds,
                               .server = server_of(document.vault),
                               .purpose = purpose_of(credential),
                               .refresh = refresh_of(credential.refresh, ca_pem)});
    const bool missing = !value && (value.error().code == "vault_entry_missing" || value.error().code == "vault_missing");
    if (missing && credential.from.starts_with("store:") && is_of_a_login(document, credential)) {
      value = vault::Obtained{};
      value->absent = true;
    }
    if (!value) failed = true;
    results[i] = std::move(value);
  };

  std::vector<std::size_t> slow;
  for (std::size_t i = 0; i < credentials.size() && !failed; ++i) {
    if (takes_its_time(credentials[i])) {
      slow.push_back(i);
    } else {
      fetch(i);
    }
  }
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t at = next++; at < slow.size() && !failed; at = next++) fetch(slow[at]);
  };
  {
    std::vector<std::jthread> workers;
    for (std::size_t i = 1; i < std::min(slow.size(), kAtOnce); ++i) workers.emplace_back(work);
    work();
  }
  std::vector<vault::Obtained> values;
  for (std::size_t i = 0; i < credentials.size(); ++i) {
    if (!results[i]) continue;  // not asked for any more: another has failed
    if (!*results[i])
      return fail(results[i]->error().code, "credential `" + credentials[i].name + "`: " + results[i]->error().message);
    values.push_back(std::move(**results[i]));
  }
  return values;
}

}  // namespace

Result<PreparedPolicy> prepare_policy(LoadedPolicy loaded, vault::Vault& vault, bool may_ask) {
  PreparedPolicy prepared;
  if (const auto& file = loaded.document.upstream.ca_file; !file.empty()) {
    auto pem = read_file(file);
    if (!pem) return fail(pem.error().code, loaded.document.file + ": upstream.ca_file: " + pem.error().message);
    if (!holds_certificate(*pem))
      return fail("ca_file_invalid", loaded.document.file + ": upstream.ca_file: " + file + " holds no certificate in PEM form");
    prepared.upstream_ca_pem = std::move(*pem);
  }
  auto secrets = fetch_credentials(loaded.document, prepared.upstream_ca_pem, vault, may_ask);
  if (!secrets) return std::unexpected(secrets.error());
  prepared.secrets = std::move(*secrets);
  prepared.loaded = std::move(loaded);
  return prepared;
}

}  // namespace weir::keeper
