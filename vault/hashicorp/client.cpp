#include "vault/hashicorp/client.h"

#include <utility>

#include "base/secret_json.h"
#include "base/text.h"

namespace weir::vault {

VaultClient::VaultClient(ServerSettings settings, CallLimits limits)
    : settings_(std::move(settings)),
      http_({.ca_file = settings_.ca_file,
             .ca_path = settings_.ca_path,
             .ca_pem = {},
             .client_certificate = settings_.client_certificate,
             .client_key = settings_.client_key,
             .server_name = settings_.server_name},
            limits, {"x-vault-index"}) {}

namespace {

bool is_worth_another(long status) {
  return status == 412 || status == 429 || status == 472 || status == 473 || status == 500 || status == 501 ||
         status == 502 || status == 503 || status == 504;
}

// Vault's own words, {"errors": […]}; they name what is wrong and never a value.
std::string vaults_words(const Secret& body) {
  const auto json = SecretJson::parse(body.reveal());
  std::string words;
  if (json)
    if (const auto errors = json->member("errors"))
      for (const auto& error : errors->items()) words += (words.empty() ? ": " : "; ") + printable(trim(error.plain()), 300);
  return words;
}

std::unexpected<Error> refusal(long status, const std::string& address, const std::string& path, const Secret& body) {
  const std::string words = vaults_words(body);
  const std::string at = "Vault at " + printable(address, 200);
  switch (status) {
    case 400:
      return fail("vault_invalid", at + " cannot do " + path + words);
    case 401:
    case 403:
      return fail("vault_denied", at + ": permission denied on " + path +
                                      (words.find("permission denied") == std::string::npos ? words : ""));
    case 404:
      return fail("vault_not_found", at + " has nothing at " + path + words);
    case 412:
    case 473:
    case 472:
      return fail("vault_standby", at + " is a standby that does not answer for the active node (status " +
                                       std::to_string(status) + ")" + words);
    case 429:
      return fail("vault_busy", at + " takes no more requests for now" + words);
    case 501:
      return fail("vault_uninitialized", at + " is not initialised");
    case 503:
      return fail("vault_sealed", words.find("sealed") != std::string::npos ? at + " is sealed"
                                                                            : at + " is sealed or in maintenance" + words);
    default:
      break;
  }
  if (status >= 300 && status < 400)
    return fail("vault_refused", at + " sends " + path + " elsewhere (status " + std::to_string(status) +
                                     "), and the token goes nowhere else; give the address of the active node");
  return fail(status >= 500 ? "vault_busy" : "vault_refused",
              at + " answered " + std::to_string(status) + " to " + path + words);
}

}  // namespace

Result<Secret> VaultClient::call(const Call& call) {
  http::Request request{.method = call.method, .url = settings_.address + "/v1/" + call.path, .fields = {{"X-Vault-Request", "true"}},
                        .body = call.body, .repeatable = call.repeatable, .limits = call.limits,
                        .cancellable = call.limits == nullptr,  // those with limits of their own are brief
                        .worth_another = is_worth_another};
  if (call.token != nullptr) request.fields.emplace_back("X-Vault-Token", call.token->reveal());
  if (!settings_.name_space.empty()) request.fields.emplace_back("X-Vault-Namespace", settings_.name_space);
  if (!index_.empty()) request.fields.emplace_back("X-Vault-Index", index_);
  if (call.body != nullptr) request.fields.emplace_back("Content-Type", "application/json");
  http::Answer answer = http_.call(request);
  const std::string path = printable(call.path.substr(0, call.path.find('?')), 300);
  if (answer.status >= 200 && answer.status < 300) {
    if (const auto index = answer.fields.find("x-vault-index"); index != answer.fields.end() && index->second.size() < 2000)
      index_ = index->second;
    return std::move(answer.body);
  }
  if (answer.too_long) return fail("vault_refused", "Vault's answer to " + path + " is longer than 1 MiB");
  if (answer.status != 0) return refusal(answer.status, settings_.address, path, answer.body);
  return fail("vault_unreachable",
              "Vault at " + printable(settings_.address, 200) + " cannot be reached: " + printable(answer.problem, 300));
}

}  // namespace weir::vault
