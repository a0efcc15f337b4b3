// The sources that are read at once: "env:", "file:", "store:".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "vault/embedded_store.h"
#include "vault/vault.h"

namespace weir::vault {

Result<Secret> from_environment(const std::string& name);
Result<Secret> from_file(const std::string& path);  // "~/" is the home directory

// The vault's own store. What had to be opened with a passphrase is kept open in `unlocked`.
Result<Secret> from_store(std::string_view reference, const VaultPaths& paths, std::optional<EmbeddedStore>& unlocked);
// Makes a store, with a key file, where there is none yet.
Result<void> to_store(std::string_view entry, const Secret& value, const VaultPaths& paths, std::optional<EmbeddedStore>& unlocked);

}  // namespace weir::vault
