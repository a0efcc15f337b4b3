// Where secrets come from. Only the keeper links this folder.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"
#include "vault/obtained.h"
#include "vault/purpose.h"
#include "vault/refresh.h"
#include "vault/server.h"

namespace weir::vault {

struct VaultPaths {
  std::string store_file;  // the embedded store (docs/vault-format.md)
  std::string key_file;    // 0600
};
VaultPaths default_paths();  // data_directory()/vault.json, config_directory()/vault.key

// A value, as a policy names it.
struct Wanted {
  std::string from;
  std::uint32_t ttl_seconds = 0;  // how long what "exec:" and "vault:" give serves; 0: as the source has it
  ServerSettings server{};        // for "vault:"
  Purpose purpose = Purpose::text;
  RefreshSettings refresh{};  // what it is exchanged for; `purpose` is then the token's
};

// Moves, never copies. obtain(), fetch() and keep() may be called from several threads.
class Vault {
 public:
  explicit Vault(VaultPaths paths = default_paths());
  Vault(Vault&&) noexcept;
  Vault& operator=(Vault&&) noexcept;
  ~Vault();

  // The value that a credential's `from` names: "env:NAME", "file:PATH" ("~/" is the home directory), "store:ENTRY" or
  // "store:ENTRY@VERSION". Errors say how to mend it ("the vault has no entry `github-token`; run: weir vault set
  // github-token"). Never blocks on the network here, and never asks: a store behind a passphrase gives "vault_locked"
  // unless unlock() was called or $WEIR_VAULT_PASSPHRASE_FILE is set. The store is read anew each time, so that a
  // value set meanwhile is seen.
  // "exec:" and "vault:" give "vault_source_unknown" here: they take their time, see obtain().
  Result<Secret> fetch(std::string_view from, Purpose purpose = Purpose::text) const;

  // fetch(), and "exec:PROGRAM" or "exec:[…]" (vault/command/run.h), which run for ten seconds at most.
  // "vault:MOUNT/PATH[?PARAMETERS]#FIELD" (docs/vault.md) is read from `server`; some twenty seconds at most. With `refresh` the value
  // is exchanged for a token (vault/refresh/exchange.h has the errors); some twenty seconds more. Those that ask for the same share one.
  Result<Obtained> obtain(const Wanted& wanted);

  // Stores a value where "store:ENTRY" names it; a vault is made (with a key file) where there is none yet. From any thread.
  Result<void> keep(std::string_view from, const Secret& value);

  // Takes the passphrase now, if the store has one: from $WEIR_VAULT_PASSPHRASE_FILE, else asked for on the terminal.
  // Nothing to do (and no error) without a store or with a key file. Call it before a sandbox starts when the policy
  // names a store: credential. SECURITY: G2, the sandbox shares the terminal, so nothing is asked once it runs.
  Result<void> unlock();

 private:
  struct State;
  std::shared_ptr<State> state_;  // exchanges that outlive this look at it
};

}  // namespace weir::vault
