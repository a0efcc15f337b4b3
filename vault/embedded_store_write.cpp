// How the store is made and changed: each change under the write lock, on the file as it is then.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/encoding.h"
#include "base/file.h"
#include "base/text.h"
#include "base/time.h"
#include "vault/embedded_store_state.h"
#include "vault/store/key_file.h"
#include "vault/store/keyring.h"
#include "vault/store/master_key.h"
#include "vault/store/place.h"
#include "vault/store/verified_document.h"
#include "vault/store/write_lock.h"

namespace weir::vault {
namespace {

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

std::unexpected<Error> no_entry(std::string_view entry) {
  return fail("vault_entry_missing", "the vault has no entry `" + printable(entry, 140) + "`; see: weir vault list");
}

Result<void> check_new_value(std::string_view entry, const Secret& value) {
  if (auto named = check_entry_name(entry); !named) return named;
  const std::string whose = "the value for " + std::string(entry);
  if (value.empty()) return fail("vault_value_empty", whose + " is empty");
  if (value.size() > store::kMaxValue) return fail("vault_value_too_long", whose + " is longer than 64 KiB");
  return {};
}

std::uint64_t add_version(const store::Keys& keys, store::Document& document, const std::string& entry,
                          const Secret& value) {
  auto& versions = document.entries[entry];
  store::Version version{.number = versions.empty() ? 1 : versions.back().number + 1,
                         .created = format_timestamp(wall_clock_us()),
                         .nonce = {},
                         .sealed = {}};
  store::seal_value(keys, document.id, entry, version, value);
  const std::uint64_t number = version.number;
  versions.push_back(std::move(version));
  if (versions.size() > kVersionsKept) versions.erase(versions.begin(), versions.end() - kVersionsKept);
  return number;
}

// Held while a change is made: the lock, and the file as it is now.
Result<UniqueFd> begin_change(const VaultPaths& paths) {
  auto lock = store::take_write_lock(paths.store_file);
  if (!lock) return lock;
  for (const auto& path : {paths.store_file, paths.key_file, store::next_key_file(paths.key_file)})
    store::remove_drafts(path);
  return lock;
}

}  // namespace

Result<void> EmbeddedStore::State::write() {
  ++document.generation;
  store::seal_document(document, keys);
  const std::string text = store::to_text(document);
  if (text.size() > store::kMaxFile) return fail("vault_full", "the vault would grow over 16 MiB; remove entries first");
  return replace_file(paths.store_file, text, 0600);
}

Result<EmbeddedStore> EmbeddedStore::create(const VaultPaths& given, Protection protection,
                                            const PassphraseReader& passphrase, const std::string& credential_file) {
  auto where = store::resolved(given);
  if (!where) return std::unexpected(where.error());
  if (exists(where->store_file)) return already(where->store_file);
  auto state = std::make_unique<State>();
  state->paths = std::move(*where);
  state->document.id = random_bytes(16);
  state->document.protection = protection;
  const store::NewKey key{state->paths, passphrase, state->paths.key_file, credential_file};
  auto master = key.before_lock(state->document);
  if (!master) return std::unexpected(master.error());
  const auto finish = [&]() -> Result<void> {
    const auto lock = begin_change(state->paths);
    if (!lock) return std::unexpected(lock.error());
    if (exists(state->paths.store_file)) return already(state->paths.store_file);
    if (master->empty()) master = key.under_lock(state->document);
    if (!master) return std::unexpected(master.error());
    state->use_master(std::move(*master));
    return state->write();
  };
  if (auto done = finish(); !done) {
    store::NewKey::abandon(state->document);
    return std::unexpected(done.error());
  }
  return EmbeddedStore(std::move(state));
}

Result<std::uint64_t> EmbeddedStore::set(std::string_view entry, const Secret& value) {
  if (auto good = check_new_value(entry, value); !good) return std::unexpected(good.error());
  const auto lock = begin_change(state_->paths);
  if (!lock) return std::unexpected(lock.error());
  if (auto now = reload(); !now) return std::unexpected(now.error());
  const auto number = add_version(state_->keys, state_->document, std::string(entry), value);
  if (auto written = state_->write(); !written) return std::unexpected(written.error());
  return number;
}

Result<std::uint64_t> EmbeddedStore::rotate(std::string_view entry, const Secret& value) {
  if (auto good = check_new_value(entry, value); !good) return std::unexpected(good.error());
  const auto lock = begin_change(state_->paths);
  if (!lock) return std::unexpected(lock.error());
  if (auto now = reload(); !now) return std::unexpected(now.error());
  if (!state_->document.entries.contains(std::string(entry))) return no_entry(entry);
  const auto current = get(entry);
  if (!current) return std::unexpected(current.error());
  if (store::equal_in_constant_time(current->reveal(), value.reveal()))
    return fail("vault_value_same", "entry `" + std::string(entry) + "` has this value already; nothing was changed");
  const auto number = add_version(state_->keys, state_->document, std::string(entry), value);
  if (auto written = state_->write(); !written) return std::unexpected(written.error());
  return number;
}

Result<std::vector<Stored>> EmbeddedStore::set_all(std::span<const std::pair<std::string, Secret>> values) {
  for (const auto& [name, value] : values)
    if (auto good = check_new_value(name, value); !good) return std::unexpected(good.error());
  const auto lock = begin_change(state_->paths);
  if (!lock) return std::unexpected(lock.error());
  if (auto now = reload(); !now) return std::unexpected(now.error());
  std::vector<Stored> stored;
  bool changed = false;
  for (const auto& [name, value] : values) {
    const auto known = state_->document.entries.find(name);
    if (known != state_->document.entries.end()) {
      const auto current = get(name);
      if (!current) return std::unexpected(current.error());
      if (store::equal_in_constant_time(current->reveal(), value.reveal())) {
        stored.push_back({.name = name, .version = known->second.back().number, .changed = false});
        continue;
      }
    }
    stored.push_back({.name = name, .version = add_version(state_->keys, state_->document, name, value), .changed = true});
    changed = true;
  }
  if (changed)
    if (auto written = state_->write(); !written) return std::unexpected(written.error());
  return stored;
}

Result<void> EmbeddedStore::remove(std::string_view entry, std::optional<std::uint64_t> version) {
  const auto lock = begin_change(state_->paths);
  if (!lock) return std::unexpected(lock.error());
  if (auto now = reload(); !now) return now;
  const auto found = state_->document.entries.find(std::string(entry));
  if (found == state_->document.entries.end()) return no_entry(entry);
  if (version) {
    if (const auto there = get(entry, version); !there) return std::unexpected(there.error());
    std::erase_if(found->second, [&](const store::Version& kept) { return kept.number == *version; });
  }
  if (!version || found->second.empty()) state_->document.entries.erase(found);
  return state_->write();
}

namespace {

// A key left over from a rekey that was cut off; when it is the one in use, it belongs in its place first.
Result<void> put_waiting_key_in_place(const VaultPaths& paths, const Secret& in_use) {
  const std::string waiting = store::next_key_file(paths.key_file);
  const auto key = store::read_key_file(waiting);
  if (!key) return {};
  if (key->reveal() == in_use.reveal()) return rename_file(waiting, paths.key_file);
  ::unlink(waiting.c_str());
  return {};
}

Result<void> seal_anew(const store::Document& from, const store::Keys& old_keys, store::Document& to,
                       const store::Keys& keys) {
  for (const auto& [name, versions] : from.entries)
    for (store::Version version : versions) {
      const auto value = store::open_value(old_keys, from.id, name, version);
      if (!value) return fail("vault_damaged", "entry `" + name + "` is damaged");
      store::seal_value(keys, to.id, name, version, *value);
      to.entries[name].push_back(std::move(version));
    }
  return {};
}

}  // namespace

Result<void> EmbeddedStore::rekey(Protection protection, const PassphraseReader& passphrase,
                                  const std::string& credential_file) {
  State next;
  next.paths = state_->paths;
  next.document.id = random_bytes(16);
  next.document.protection = protection;
  const std::string key_file = store::next_key_file(next.paths.key_file);
  const store::NewKey key{next.paths, passphrase, key_file, credential_file};
  auto master = key.before_lock(next.document);
  if (!master) return std::unexpected(master.error());
  const Protection before = state_->document.protection;
  const std::string old_id = hex_encode(state_->document.id);
  const auto finish = [&]() -> Result<void> {
    const auto lock = begin_change(state_->paths);
    if (!lock) return std::unexpected(lock.error());
    if (auto now = reload(); !now) return now;
    if (protection == Protection::kKeyFile)
      if (auto moved = put_waiting_key_in_place(next.paths, state_->master); !moved) return moved;
    if (master->empty()) master = key.under_lock(next.document);
    if (!master) return std::unexpected(master.error());
    if (master->reveal() == state_->master.reveal())
      return fail("vault_same_key", "the vault has this key already; nothing was changed");
    next.use_master(std::move(*master));
    next.document.generation = state_->document.generation;
    if (auto sealed = seal_anew(state_->document, state_->keys, next.document, next.keys); !sealed)
      return store::in_file(next.paths.store_file, sealed.error());
    if (auto written = next.write(); !written) {
      if (protection == Protection::kKeyFile) ::unlink(key_file.c_str());
      return written;
    }
    return {};
  };
  if (auto done = finish(); !done) {
    store::NewKey::abandon(next.document);
    return done;
  }
  *state_ = std::move(next);
  if (before == Protection::kKeyring) (void)store::keyring_forget(old_id);  // it opens nothing any more
  if (protection == Protection::kKeyFile) return rename_file(key_file, state_->paths.key_file);
  return {};
}

}  // namespace weir::vault
