// The part of a session that hands out credentials, and takes in those that a tool inside has logged in for.
#include "keeper/session.h"
#include "proxy/credentials/injection.h"

namespace weir::keeper {

void Session::give_secret(std::uint32_t generation, std::uint32_t credential, proxy::Purpose purpose) {
  acknowledge();
  const auto& policy = policies_.at(generation);
  const auto& wanted = policy.loaded.document.credentials[credential];
  const auto value = leases_.value(generation, credential);
  if (!value) {  // SECURITY: G4
    // What its source said may name files and hosts, which are not the sandbox's business; the record has it in `vault.error`.
    proxy_.refuse_secret(generation, credential, purpose,
                         value.error().code == "credential_absent" ? "there is no value yet: nothing has logged in"
                                                                   : "it has ended and its source does not renew it; `weir log` on the host says why");
    return;
  }
  if (purpose == proxy::Purpose::use) {
    // Recorded before it is given: who holds the secret is part of the record.
    recorder_.add("credential.used", {{"credential", wanted.name}, {"place", proxy::place_of(wanted)}});
    if (const auto written = recorder_.commit(); !written) {
      proxy_.refuse_secret(generation, credential, purpose, "its use cannot be recorded");
      return;
    }
  }
  proxy_.give_secret(generation, credential, purpose, (*value)->reveal());
}

// SECURITY: G5, only tokens that an endpoint of this policy may bring, for the credentials that it names.
bool Session::take_tokens(std::string_view message) {
  std::uint64_t question = 0;
  std::uint32_t generation = 0;
  std::uint32_t endpoint = 0;
  if (!proxy::take(message, question) || !proxy::take(message, generation) || !proxy::take(message, endpoint)) return false;
  const auto policy = policies_.find(generation);
  if (policy == policies_.end() || endpoint >= policy->second.loaded.document.oauth.size()) return false;
  const auto& document = policy->second.loaded.document;
  const auto& capture = document.oauth[endpoint];
  std::string names;
  Result<void> kept;
  while (!message.empty()) {
    std::uint32_t credential = 0;
    std::uint32_t size = 0;
    if (!proxy::take(message, credential) || !proxy::take(message, size) || message.size() < size || credential >= document.credentials.size()) return false;
    const auto& name = document.credentials[credential].name;
    bool expected = false;
    for (const auto& [member, kept_as] : capture.keep) expected = expected || kept_as == name;
    if (!expected) return false;
    if (kept) kept = keep_token(generation, credential, message.substr(0, size));
    names += (names.empty() ? "" : ",") + name;
    message.remove_prefix(size);
  }
  acknowledge();
  nlohmann::ordered_json data{{"credential", names}, {"host", capture.host}, {"kept", kept.has_value()}};
  if (!kept) data["reason"] = kept.error().message;
  recorder_.add("credential.captured", data);
  if (const auto written = recorder_.commit(); !written && kept) kept = std::unexpected(written.error());
  if (!kept) say("a login inside the sandbox was not kept: " + kept.error().message);
  proxy_.answer_tokens(question, kept);
  return true;
}

Result<void> Session::keep_token(std::uint32_t generation, std::uint32_t credential, std::string_view token) {
  const auto& from = policies_.at(generation).loaded.document.credentials[credential].from;
  Secret value(token);
  if (auto usable = vault::check_value(value, "a token"); !usable) return usable;
  if (auto stored = options_.vault.keep(from, value); !stored) return stored;
  leases_.put(generation, credential, std::move(value));
  return {};
}

}  // namespace weir::keeper
