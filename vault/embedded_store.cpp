#include "vault/embedded_store.h"

#include <algorithm>

#include "base/file.h"
#include "base/text.h"
#include "vault/embedded_store_state.h"
#include "vault/store/cipher.h"
#include "vault/store/document.h"
#include "vault/store/key_file.h"
#include "vault/store/master_key.h"
#include "vault/store/place.h"
#include "vault/store/verified_document.h"

namespace weir::vault {
namespace store {

std::unexpected<Error> in_file(const std::string& path, const Error& error) {
  return fail(error.code, "the vault " + path + ": " + error.message);
}

Result<Document> read_document(const std::string& path) {
  if (auto file = check_is_file(path); !file) return std::unexpected(file.error());
  const auto text = read_file(path, kMaxFile);
  if (!text && text.error().code == "file_missing")
    return fail("vault_missing", "there is no vault yet (" + path + "); run: weir vault set NAME");
  if (!text) return std::unexpected(text.error());
  auto document = parse_document(*text);
  if (!document) return in_file(path, document.error());
  return document;
}

Result<VaultPaths> resolved(const VaultPaths& paths) {
  auto store_file = resolve_link(paths.store_file);
  if (!store_file) return std::unexpected(store_file.error());
  // A key that is not to be had is an error only where it is needed.
  return VaultPaths{.store_file = std::move(*store_file), .key_file = resolve_link(paths.key_file).value_or(paths.key_file)};
}

}  // namespace store

Result<void> check_entry_name(std::string_view entry) {
  if (store::is_entry_name(entry)) return {};
  return fail(
      "vault_entry_name",
      "`" + printable(entry, 140) +
          "` cannot name an entry: use 1 to 128 letters, digits, '.', '_', '-' and '/', with no '.' or '/' at the ends");
}

EmbeddedStore::EmbeddedStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
EmbeddedStore::EmbeddedStore(EmbeddedStore&&) noexcept = default;
EmbeddedStore& EmbeddedStore::operator=(EmbeddedStore&&) noexcept = default;
EmbeddedStore::~EmbeddedStore() = default;

void EmbeddedStore::State::use_master(Secret key) {
  master = std::move(key);
  opened_by = document.protection;
  derived_with = document.scrypt;
  keys = store::derive_keys(master, document.id);
}

Result<StoreHeader> EmbeddedStore::peek(const VaultPaths& paths) {
  const auto where = store::resolved(paths);
  if (!where) return std::unexpected(where.error());
  const auto document = store::read_document(where->store_file);
  if (!document) return std::unexpected(document.error());
  return StoreHeader{
      .protection = document->protection, .entries = document->entries.size(), .generation = document->generation};
}

Result<EmbeddedStore> EmbeddedStore::open(const VaultPaths& paths, const PassphraseReader& passphrase) {
  auto where = store::resolved(paths);
  if (!where) return std::unexpected(where.error());
  auto document = store::read_document(where->store_file);
  if (!document) return std::unexpected(document.error());
  auto state = std::make_unique<State>();
  state->paths = std::move(*where);
  state->document = std::move(*document);
  const bool has_file = state->document.protection == Protection::kKeyFile;
  auto master = store::find_master_key(state->document, state->paths, passphrase);
  // Both files gone at once would be odd; an interrupted rekey's key alone is not.
  if (!master && has_file)
    if (auto next = store::read_key_file(store::next_key_file(state->paths.key_file))) master = std::move(next);
  if (!master) return std::unexpected(master.error());
  state->use_master(std::move(*master));
  const auto how = store::how_opened(state->document, state->paths);
  auto verified = store::verify(state->document, state->keys, how);
  if (!verified && verified.error().code == "vault_wrong_key" && has_file) {
    if (auto next = store::read_key_file(store::next_key_file(state->paths.key_file))) {
      state->use_master(std::move(*next));
      verified = store::verify(state->document, state->keys, how);
    }
  }
  if (!verified) return store::in_file(state->paths.store_file, verified.error());
  return EmbeddedStore(std::move(state));
}

Result<void> EmbeddedStore::reload() {
  const auto& path = state_->paths.store_file;
  auto document = store::read_document(path);
  if (!document) return std::unexpected(document.error());
  const auto rekeyed = [&] {
    return fail("vault_rekeyed", "the vault " + path + " has another key since it was unlocked; start again");
  };
  if (document->protection != state_->opened_by || document->scrypt != state_->derived_with) return rekeyed();
  auto keys = store::derive_keys(state_->master, document->id);
  if (auto verified = store::verify(*document, keys, store::how_opened(*document, state_->paths)); !verified) {
    if (verified.error().code == "vault_wrong_key") return rekeyed();  // it was the right one before
    return store::in_file(path, verified.error());
  }
  state_->keys = std::move(keys);
  state_->document = std::move(*document);
  return {};
}

namespace {

// "3 to 7", or "3, 5, 7" where some between were removed.
std::string numbers_of(const std::vector<store::Version>& versions) {
  const auto first = versions.front().number;
  const auto last = versions.back().number;
  if (first != last && last - first + 1 == versions.size()) return std::to_string(first) + " to " + std::to_string(last);
  std::string numbers;
  for (const auto& version : versions) numbers += (numbers.empty() ? "" : ", ") + std::to_string(version.number);
  return numbers;
}

}  // namespace

Result<Secret> EmbeddedStore::get(std::string_view entry, std::optional<std::uint64_t> version) const {
  const store::Document& document = state_->document;
  const auto found = document.entries.find(std::string(entry));
  if (found == document.entries.end())
    return fail("vault_entry_missing",
                "the vault has no entry `" + printable(entry, 140) + "`; run: weir vault set " + printable(entry, 140));
  const auto& versions = found->second;
  auto chosen = versions.end() - 1;
  if (version) chosen = std::ranges::find(versions, *version, &store::Version::number);
  if (chosen == versions.end())
    return fail("vault_version_missing", "entry `" + found->first + "` has no version " + std::to_string(*version) +
                                             "; it keeps " + numbers_of(versions));
  auto value = store::open_value(state_->keys, document.id, found->first, *chosen);
  if (!value)
    return store::in_file(state_->paths.store_file,
                          {.code = "vault_damaged", .message = "entry `" + found->first + "` is damaged"});
  return std::move(*value);
}

std::vector<EntrySummary> EmbeddedStore::list() const {
  std::vector<EntrySummary> summaries;
  for (const auto& [name, versions] : state_->document.entries) {
    summaries.push_back({.name = name, .versions = {}});
    for (const auto& version : versions)
      summaries.back().versions.push_back({.number = version.number, .created = version.created});
  }
  return summaries;
}

Protection EmbeddedStore::protection() const { return state_->document.protection; }
std::uint64_t EmbeddedStore::generation() const { return state_->document.generation; }

bool EmbeddedStore::opening_asks_somebody() const {
  return protection() == Protection::kPassphrase || protection() == Protection::kKeyring;
}

}  // namespace weir::vault
