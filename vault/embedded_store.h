// The vault that weir brings along: one encrypted file (docs/vault-format.md). Single-threaded; safe against other
// processes: readers see one whole file or another, writers take turns.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/secret.h"
#include "vault/passphrase.h"
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

enum class Protection { kKeyFile, kPassphrase };

inline constexpr std::size_t kVersionsKept = 5;

class EmbeddedStore {
 public:
  // A new, empty store. With a key file: the one that is there is taken, else one is made. "vault_exists".
  static Result<EmbeddedStore> create(const VaultPaths& paths, Protection protection, const PassphraseReader& passphrase);

  // Reads and checks all of it. "vault_missing"; "vault_locked" and what else `passphrase` gives; "vault_wrong_key";
  // "vault_damaged" and "vault_tampered" name the entry where that can be told.
  static Result<EmbeddedStore> open(const VaultPaths& paths, const PassphraseReader& passphrase);

  EmbeddedStore(EmbeddedStore&&) noexcept;
  EmbeddedStore& operator=(EmbeddedStore&&) noexcept;
  ~EmbeddedStore();

  Result<Secret> get(std::string_view entry, std::optional<std::uint64_t> version = std::nullopt) const;
  std::vector<EntrySummary> list() const;
  Protection protection() const;
  std::uint64_t generation() const;  // how often the file was written

  // Each reads the file anew under the write lock, changes it and replaces it. set() keeps the last kVersionsKept
  // versions and gives the new one's number.
  Result<std::uint64_t> set(std::string_view entry, const Secret& value);
  Result<void> remove(std::string_view entry);
  // Everything encrypted anew under another master key: a new key file, or another passphrase.
  Result<void> rekey(Protection protection, const PassphraseReader& passphrase);

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
