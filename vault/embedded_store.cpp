#include "vault/embedded_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/encoding.h"
#include "base/file.h"
#include "base/text.h"
#include "base/time.h"
#include "vault/store/cipher.h"
#include "vault/store/document.h"
#include "vault/store/key_file.h"
#include "vault/store/verified_document.h"
#include "vault/store/write_lock.h"

namespace weir::vault {

using store::Document;

struct EmbeddedStore::State {
  VaultPaths paths;
  Document document;
  std::optional<store::Scrypt> derived_with;  // what `master` came from; nullopt: the key file
  Secret master;
  store::Keys keys;

  Result<void> write();
};

namespace {

std::unexpected<Error> in_file(const std::string& path, const Error& error) {
  return fail(error.code, "the vault " + path + ": " + error.message);
}

Result<Document> read_document(const std::string& path) {
  const auto text = read_file(path, store::kMaxFile);
  if (!text && text.error().code == "file_missing")
    return fail("vault_missing", "there is no vault yet (" + path + "); run: weir vault set NAME");
  if (!text) return std::unexpected(text.error());
  auto document = store::parse_document(*text);
  if (!document) return in_file(path, document.error());
  return document;
}

std::string how_opened(const Document& document, const VaultPaths& paths) {
  return document.scrypt ? "this passphrase" : "the key file " + paths.key_file;
}

Result<Secret> master_key(const Document& document, const VaultPaths& paths, const PassphraseReader& passphrase) {
  if (document.scrypt) {
    const auto given = passphrase();
    if (!given) return std::unexpected(given.error());
    return store::derive_master_key(*given, *document.scrypt);
  }
  auto key = store::read_key_file(paths.key_file);
  if (!key && key.error().code == "file_missing")
    return fail("vault_key_missing",
                "the vault's key file " + paths.key_file + " is missing, and " + paths.store_file +
                    " cannot be opened without it; restore it from a backup, or move the vault away and begin anew");
  return key;
}

// Where a rekey was cut off between its two files, the new key waits beside the old one.
std::string next_key_file(const VaultPaths& paths) { return paths.key_file + ".next"; }

bool exists(const std::string& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0;
}

std::unexpected<Error> already(const std::string& path) { return fail("vault_exists", "there is a vault already: " + path); }

Result<void> rename_file(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0)
    return fail_errno("file_unwritable", "cannot rename " + from + " to " + to, errno);
  return {};
}

}  // namespace

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

Result<void> EmbeddedStore::State::write() {
  ++document.generation;
  store::seal_document(document, keys);
  const std::string text = store::to_text(document);
  if (text.size() > store::kMaxFile) return fail("vault_full", "the vault would grow over 16 MiB; remove entries first");
  return replace_file(paths.store_file, text, 0600);
}

Result<EmbeddedStore> EmbeddedStore::create(const VaultPaths& paths, Protection protection,
                                            const PassphraseReader& passphrase) {
  if (exists(paths.store_file)) return already(paths.store_file);
  auto state = std::make_unique<State>();
  state->paths = paths;
  state->document.id = random_bytes(16);
  // Asked for before the lock is taken: nobody else waits for a person to type.
  if (protection == Protection::kPassphrase) {
    state->document.scrypt = store::Scrypt{.salt = random_bytes(16)};
    auto master = master_key(state->document, paths, passphrase);
    if (!master) return std::unexpected(master.error());
    state->master = std::move(*master);
  }
  const auto lock = store::take_write_lock(paths.store_file);
  if (!lock) return std::unexpected(lock.error());
  struct stat status{};
  if (::lstat(paths.store_file.c_str(), &status) == 0)
    return fail("vault_exists", "there is a vault already: " + paths.store_file);
  if (protection == Protection::kKeyFile) {
    auto master = store::read_or_create_key_file(paths.key_file);
    if (!master) return std::unexpected(master.error());
    state->master = std::move(*master);
  }
  state->derived_with = state->document.scrypt;
  state->keys = store::derive_keys(state->master, state->document.id);
  if (auto written = state->write(); !written) return std::unexpected(written.error());
  return EmbeddedStore(std::move(state));
}

Result<EmbeddedStore> EmbeddedStore::open(const VaultPaths& paths, const PassphraseReader& passphrase) {
  auto document = read_document(paths.store_file);
  if (!document) return std::unexpected(document.error());
  auto state = std::make_unique<State>();
  state->paths = paths;
  auto master = master_key(*document, paths, passphrase);
  if (!master && !document->scrypt) {
    // Both files gone at once would be odd; an interrupted rekey's key alone is not.
    if (auto next = store::read_key_file(next_key_file(paths))) master = std::move(next);
  }
  if (!master) return std::unexpected(master.error());
  state->master = std::move(*master);
  state->derived_with = document->scrypt;
  state->keys = store::derive_keys(state->master, document->id);
  state->document = std::move(*document);
  auto verified = store::verify(state->document, state->keys, how_opened(state->document, paths));
  if (!verified && verified.error().code == "vault_wrong_key" && !state->document.scrypt) {
    if (auto next = store::read_key_file(next_key_file(paths))) {
      state->master = std::move(*next);
      state->keys = store::derive_keys(state->master, state->document.id);
      verified = store::verify(state->document, state->keys, how_opened(state->document, paths));
    }
  }
  if (!verified) return in_file(paths.store_file, verified.error());
  return EmbeddedStore(std::move(state));
}

Result<void> EmbeddedStore::reload() {
  auto document = read_document(state_->paths.store_file);
  if (!document) return std::unexpected(document.error());
  if (document->scrypt != state_->derived_with)
    return fail("vault_rekeyed",
                "the vault " + state_->paths.store_file + " has another key since it was unlocked; start again");
  auto keys = store::derive_keys(state_->master, document->id);
  if (auto verified = store::verify(*document, keys, how_opened(*document, state_->paths)); !verified)
    return in_file(state_->paths.store_file, verified.error());
  state_->keys = std::move(keys);
  state_->document = std::move(*document);
  return {};
}

Result<Secret> EmbeddedStore::get(std::string_view entry, std::optional<std::uint64_t> version) const {
  const Document& document = state_->document;
  const auto found = document.entries.find(std::string(entry));
  if (found == document.entries.end())
    return fail("vault_entry_missing",
                "the vault has no entry `" + printable(entry, 140) + "`; run: weir vault set " + printable(entry, 140));
  const auto& versions = found->second;
  auto chosen = versions.end() - 1;
  if (version) chosen = std::ranges::find(versions, *version, &store::Version::number);
  if (chosen == versions.end())
    return fail("vault_version_missing", "entry `" + found->first + "` has no version " + std::to_string(*version) +
                                             "; it keeps " + std::to_string(versions.front().number) + " to " +
                                             std::to_string(versions.back().number));
  auto value = store::open_value(state_->keys, document.id, found->first, *chosen);
  if (!value)
    return in_file(state_->paths.store_file,
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

Protection EmbeddedStore::protection() const {
  return state_->document.scrypt ? Protection::kPassphrase : Protection::kKeyFile;
}
std::uint64_t EmbeddedStore::generation() const { return state_->document.generation; }

Result<std::uint64_t> EmbeddedStore::set(std::string_view entry, const Secret& value) {
  if (auto named = check_entry_name(entry); !named) return std::unexpected(named.error());
  if (value.empty()) return fail("vault_value_empty", "the value is empty");
  if (value.size() > store::kMaxValue) return fail("vault_value_too_long", "the value is longer than 64 KiB");
  const auto lock = store::take_write_lock(state_->paths.store_file);
  if (!lock) return std::unexpected(lock.error());
  if (auto now = reload(); !now) return std::unexpected(now.error());
  auto& versions = state_->document.entries[std::string(entry)];
  store::Version version{.number = versions.empty() ? 1 : versions.back().number + 1,
                         .created = format_timestamp(wall_clock_us()),
                         .nonce = {},
                         .sealed = {}};
  store::seal_value(state_->keys, state_->document.id, entry, version, value);
  const std::uint64_t number = version.number;
  versions.push_back(std::move(version));
  if (versions.size() > kVersionsKept) versions.erase(versions.begin(), versions.end() - kVersionsKept);
  if (auto written = state_->write(); !written) return std::unexpected(written.error());
  return number;
}

Result<void> EmbeddedStore::remove(std::string_view entry) {
  const auto lock = store::take_write_lock(state_->paths.store_file);
  if (!lock) return std::unexpected(lock.error());
  if (auto now = reload(); !now) return now;
  if (state_->document.entries.erase(std::string(entry)) == 0)
    return fail("vault_entry_missing", "the vault has no entry `" + printable(entry, 140) + "`; see: weir vault list");
  return state_->write();
}

Result<void> EmbeddedStore::rekey(Protection protection, const PassphraseReader& passphrase) {
  State next;
  next.paths = state_->paths;
  next.document.id = random_bytes(16);
  if (protection == Protection::kPassphrase) {
    next.document.scrypt = store::Scrypt{.salt = random_bytes(16)};
    auto master = master_key(next.document, next.paths, passphrase);
    if (!master) return std::unexpected(master.error());
    next.master = std::move(*master);
  }
  const auto lock = store::take_write_lock(state_->paths.store_file);
  if (!lock) return std::unexpected(lock.error());
  if (auto now = reload(); !now) return now;
  const std::string key_file = next_key_file(next.paths);
  if (protection == Protection::kKeyFile) {
    // Left over from a rekey that was cut off; when it is the key in use, it belongs in its place first.
    if (auto waiting = store::read_key_file(key_file)) {
      if (waiting->reveal() == state_->master.reveal()) {
        if (auto moved = rename_file(key_file, next.paths.key_file); !moved) return moved;
      } else {
        ::unlink(key_file.c_str());
      }
    }
    auto master = store::read_or_create_key_file(key_file);
    if (!master) return std::unexpected(master.error());
    next.master = std::move(*master);
  }
  next.derived_with = next.document.scrypt;
  next.keys = store::derive_keys(next.master, next.document.id);
  next.document.generation = state_->document.generation;
  for (const auto& [name, versions] : state_->document.entries)
    for (store::Version version : versions) {
      const auto value = store::open_value(state_->keys, state_->document.id, name, version);
      if (!value)
        return in_file(state_->paths.store_file, {.code = "vault_damaged", .message = "entry `" + name + "` is damaged"});
      store::seal_value(next.keys, next.document.id, name, version, *value);
      next.document.entries[name].push_back(std::move(version));
    }
  if (auto written = next.write(); !written) return written;
  if (protection == Protection::kKeyFile)
    if (auto moved = rename_file(key_file, next.paths.key_file); !moved) return moved;
  *state_ = std::move(next);
  return {};
}

}  // namespace weir::vault
