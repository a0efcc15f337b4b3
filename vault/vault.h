// Where secrets come from. Only the keeper links this folder.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"

namespace weir::vault {

struct VaultPaths {
  std::string store_file;  // the embedded store
  std::string key_file;    // 0600
};
VaultPaths default_paths();  // data_directory()/vault.json, config_directory()/vault.key

class Vault {
 public:
  explicit Vault(VaultPaths paths = default_paths());

  // The value that a credential's `from` names: "env:NAME", "file:PATH", "store:ENTRY". Errors say how to mend it
  // ("the vault has no entry `github-token`; run: weir vault set github-token"). Never blocks on the network here.
  Result<Secret> fetch(std::string_view from) const;

 private:
  VaultPaths paths_;
};

}  // namespace weir::vault
