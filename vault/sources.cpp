#include "vault/sources.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "base/file.h"
#include "base/paths.h"
#include "base/text.h"
#include "vault/passphrase.h"

namespace weir::vault {
namespace {

bool is_variable_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && letter(name[0]) &&
         std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

Result<EmbeddedStore> opened(std::string_view entry, const VaultPaths& paths) {
  auto store = EmbeddedStore::open(paths, passphrase_from_file);
  if (!store && store.error().code == "vault_missing")
    return fail("vault_missing",
                "there is no vault yet (" + paths.store_file + "); run: weir vault set " + std::string(entry));
  return store;
}

}  // namespace

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
  auto store = opened(entry, paths);
  if (!store) return std::unexpected(store.error());
  auto value = store->get(entry, version);
  if (store->opening_asks_somebody()) unlocked = std::move(*store);
  return value;
}

Result<void> to_store(std::string_view entry, const Secret& value, const VaultPaths& paths, std::optional<EmbeddedStore>& unlocked) {
  if (unlocked) {
    auto written = unlocked->set(entry, value);
    return written ? Result<void>{} : std::unexpected(written.error());
  }
  auto store = opened(entry, paths);
  if (!store && store.error().code == "vault_missing") store = EmbeddedStore::create(paths, Protection::kKeyFile, passphrase_from_file);
  if (!store && store.error().code == "vault_exists") store = opened(entry, paths);  // another weir was faster
  if (!store) return std::unexpected(store.error());
  auto written = store->set(entry, value);
  return written ? Result<void>{} : std::unexpected(written.error());
}

}  // namespace weir::vault
