#include "vault/vault.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>

#include "base/file.h"
#include "base/paths.h"
#include "base/text.h"
#include "vault/command/source.h"
#include "vault/embedded_store.h"
#include "vault/hashicorp/reference.h"
#include "vault/hashicorp/secrets.h"
#include "vault/passphrase.h"

namespace weir::vault {

struct Vault::State {
  VaultPaths paths;
  mutable std::optional<EmbeddedStore> unlocked;  // kept where opening costs a passphrase
  std::vector<std::pair<ServerSettings, std::shared_ptr<VaultSecrets>>>
      servers;  // one login for each; values that it gave share it
};

VaultPaths default_paths() {
  return {.store_file = data_directory() + "/vault.json", .key_file = config_directory() + "/vault.key"};
}

// A header's value may hold none of these (RFC 9110 §5.5); refused at the source, not repaired on the way.
// SECURITY: G7.
Result<void> check_value(const Secret& value, std::string_view what) {
  if (value.empty()) return fail("vault_value_empty", std::string(what) + " is empty");
  const std::string_view text = value.reveal();
  const auto control = std::ranges::find_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7f; });
  if (control == text.end()) return {};
  const char* kind = *control == '\n'   ? "a line feed"
                     : *control == '\r' ? "a carriage return"
                     : *control == '\0' ? "a NUL"
                                        : "a control character";
  return fail("vault_value_unusable", std::string(what) + " has " + kind + " at octet " +
                                          std::to_string(control - text.begin() + 1) + " of " + std::to_string(text.size()) +
                                          " and so cannot stand in a header; give the value on one line");
}

namespace {

bool is_variable_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && letter(name[0]) &&
         std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

Result<Secret> from_environment(const std::string& name) {
  if (!is_variable_name(name))
    return fail("vault_source_invalid", "`env:" + printable(name, 100) + "` does not name an environment variable");
  const char* value = std::getenv(name.c_str());
  if (value == nullptr || *value == '\0')
    return fail("vault_env_unset", "the environment variable " + name + " is " + (value == nullptr ? "not set" : "empty") +
                                       "; set it where weir is started: export " + name + "=…");
  return Secret(std::string_view(value));
}

Result<Secret> from_file(const std::string& given) {
  if (given.empty()) return fail("vault_source_invalid", "`file:` names no file");
  const std::string path = given.starts_with("~/") ? home_directory() + given.substr(1) : given;
  auto value = read_secret_file(path);
  if (!value && value.error().code == "file_missing")
    return fail("vault_file_missing", value.error().message + "; write the value there, with mode 0600");
  return value;
}

}  // namespace

Vault::Vault(VaultPaths paths) : state_(std::make_unique<State>()) { state_->paths = std::move(paths); }
Vault::Vault(Vault&&) noexcept = default;
Vault& Vault::operator=(Vault&&) noexcept = default;
Vault::~Vault() = default;

namespace {

Result<Secret> from_store(std::string_view reference, const VaultPaths& paths, std::optional<EmbeddedStore>& unlocked) {
  std::optional<std::uint64_t> version;
  std::string_view entry = reference;
  if (const auto at = reference.rfind('@'); at != std::string_view::npos) {
    entry = reference.substr(0, at);
    const std::string_view digits = reference.substr(at + 1);
    std::uint64_t number = 0;
    const char* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, number);
    if (digits.empty() || error != std::errc() || stop != end)
      return fail("vault_source_invalid",
                  "`store:" + printable(reference, 160) + "`: what follows the @ is a version's number");
    version = number;
  }
  if (auto named = check_entry_name(entry); !named) return std::unexpected(named.error());
  if (unlocked) {
    if (auto now = unlocked->reload(); !now) return std::unexpected(now.error());
    return unlocked->get(entry, version);
  }
  auto store = EmbeddedStore::open(paths, passphrase_from_file);
  if (!store && store.error().code == "vault_missing")
    return fail("vault_missing",
                "there is no vault yet (" + paths.store_file + "); run: weir vault set " + std::string(entry));
  if (!store) return std::unexpected(store.error());
  auto value = store->get(entry, version);
  if (store->protection() == Protection::kPassphrase) unlocked = std::move(*store);
  return value;
}

}  // namespace

Result<Secret> Vault::fetch(std::string_view from) const {
  const auto colon = from.find(':');
  const std::string_view scheme = from.substr(0, colon);
  const std::string_view rest = colon == std::string_view::npos ? std::string_view{} : from.substr(colon + 1);
  Result<Secret> value;
  if (scheme == "env" && colon != std::string_view::npos)
    value = from_environment(std::string(rest));
  else if (scheme == "file" && colon != std::string_view::npos)
    value = from_file(std::string(rest));
  else if (scheme == "store" && colon != std::string_view::npos)
    value = from_store(rest, state_->paths, state_->unlocked);
  else
    return fail("vault_source_unknown",
                "`" + printable(from, 100) + "` is no source that weir knows; use env:NAME, file:PATH or store:ENTRY");
  if (!value) return value;
  if (auto usable = check_value(*value, "the value of " + printable(from, 160)); !usable)
    return std::unexpected(usable.error());
  return value;
}

Result<Obtained> Vault::obtain(std::string_view from, std::uint32_t ttl_seconds, const ServerSettings& server) {
  constexpr std::string_view kVault = "vault:";
  if (from.starts_with(kVault)) {
    const auto reference = parse_reference(from.substr(kVault.size()));
    if (!reference) return std::unexpected(reference.error());
    auto settings = complete_settings(server);
    if (!settings) return std::unexpected(settings.error());
    auto known =
        std::ranges::find(state_->servers, *settings, &std::pair<ServerSettings, std::shared_ptr<VaultSecrets>>::first);
    if (known == state_->servers.end())
      known = state_->servers.emplace(known, *settings, std::make_shared<VaultSecrets>(*settings));
    return known->second->obtain(*reference, std::int64_t{ttl_seconds} * 1000);
  }
  constexpr std::string_view kExec = "exec:";
  if (from.starts_with(kExec)) return obtain_from_command(from.substr(kExec.size()), std::int64_t{ttl_seconds} * 1000);
  auto value = fetch(from);
  if (!value) return std::unexpected(value.error());
  return Obtained{std::move(*value), 0, nullptr};
}

Result<void> Vault::unlock() {
  auto store = EmbeddedStore::open(state_->paths, passphrase_from_file_or_terminal);
  if (!store && store.error().code == "vault_missing") return {};
  if (!store) return std::unexpected(store.error());
  if (store->protection() == Protection::kPassphrase) state_->unlocked = std::move(*store);
  return {};
}

}  // namespace weir::vault
