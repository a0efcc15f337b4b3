// What an opened store holds; for the files that implement it.
#pragma once

#include <optional>
#include <string>

#include "vault/embedded_store.h"
#include "vault/store/cipher.h"
#include "vault/store/document.h"

namespace weir::vault {

struct EmbeddedStore::State {
  VaultPaths paths;
  store::Document document;
  Protection opened_by = Protection::kKeyFile;  // where `master` came from
  std::optional<store::Scrypt> derived_with;
  Secret master;
  store::Keys keys;

  void use_master(Secret key);  // as the document says
  Result<void> write();         // under the write lock; all or nothing
};

namespace store {

Result<Document> read_document(const std::string& path);
std::unexpected<Error> in_file(const std::string& path, const Error& error);
// The files themselves, where links lead to them.
Result<VaultPaths> resolved(const VaultPaths& paths);

}  // namespace store
}  // namespace weir::vault
