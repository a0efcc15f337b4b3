// The vault that weir brings along: one encrypted file (docs/vault-format.md). Single-threaded; safe against other
// processes: readers see one whole file or another, writers take turns.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/secret.h"
#include "vault/passphrase.h"
#include "vault/protection.h"
#include "vault/vault.h"

namespace weir::vault {

struct VersionSummary {
  std::uint64_t number = 0;
  std::string created;  // RFC 3339
};
struct EntrySummary {
  std::string name;
  std::vector<VersionSummary> versions;  // oldest first
};

// What the file says of itself, before any key was asked for: not to be relied on.
struct StoreHeader {
  Protection protection = Protection::kKeyFile;
  std::size_t entries = 0;
  std::uint64_t generation = 0;
};
struct Stored {
  std::string name;
  std::uint64_t version = 0;
  bool changed = true;  // false: its value was the same already
};

inline constexpr std::size_t kVersionsKept = 5;

class EmbeddedStore {
 public:
  // A new, empty store. "vault_exists". With a key file: the one that is there is taken, else one is made. With the keyring:
  // the key is put there. With a systemd credential: the key is the one that systemd gives this process; or, where
  // `credential_file` names a file, the one in it, else one is made there, for whoever sets up the service.
  static Result<EmbeddedStore> create(const VaultPaths& paths, Protection protection, const PassphraseReader& passphrase,
                                      const std::string& credential_file = {});

  static Result<StoreHeader> peek(const VaultPaths& paths);

  // Reads and checks all of it. "vault_missing"; "vault_locked" and what else `passphrase` gives, or the keyring
  // (vault/store/keyring.h), or systemd's credential (vault/store/systemd_credential.h); "vault_wrong_key";
  // "vault_damaged" and "vault_tampered" name the entry where that can be told.
  static Result<EmbeddedStore> open(const VaultPaths& paths, const PassphraseReader& passphrase);

  EmbeddedStore(EmbeddedStore&&) noexcept;
  EmbeddedStore& operator=(EmbeddedStore&&) noexcept;
  ~EmbeddedStore();

  Result<Secret> get(std::string_view entry, std::optional<std::uint64_t> version = std::nullopt) const;
  std::vector<EntrySummary> list() const;
  Protection protection() const;
  std::uint64_t generation() const;  // how often the file was written

  // Opening it anew would cost a passphrase, or a question to the keyring: worth keeping open.
  bool opening_asks_somebody() const;

  // Each reads the file anew under the write lock, changes it and replaces it. set() keeps the last kVersionsKept
  // versions and gives the new one's number. A value is 1 to 65536 octets of any kind.
  Result<std::uint64_t> set(std::string_view entry, const Secret& value);
  // set() for an entry that is there and has another value: "vault_entry_missing", "vault_value_same".
  Result<std::uint64_t> rotate(std::string_view entry, const Secret& value);
  // All of them or none. Entries that have the value already stay as they are.
  Result<std::vector<Stored>> set_all(std::span<const std::pair<std::string, Secret>> values);
  // All versions, or the one; of an entry whose last one goes nothing stays.
  Result<void> remove(std::string_view entry, std::optional<std::uint64_t> version = std::nullopt);
  // Everything encrypted anew under another master key; as for create(), but a key file's key is made anew.
  // "vault_same_key".
  Result<void> rekey(Protection protection, const PassphraseReader& passphrase, const std::string& credential_file = {});

  // The file as it is now, with the key that this object holds; for one who asked for the passphrase once.
  Result<void> reload();

 private:
  struct State;
  explicit EmbeddedStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// "store:" names are these and no other: letters, digits, '.', '_', '-', '/', 128 at most.
Result<void> check_entry_name(std::string_view entry);

}  // namespace weir::vault
