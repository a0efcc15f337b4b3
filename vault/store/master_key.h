// The master key of a document: found where the document says it is, or made and put there.
#pragma once

#include <string>

#include "base/error.h"
#include "base/secret.h"
#include "vault/passphrase.h"
#include "vault/store/document.h"
#include "vault/vault.h"

namespace weir::vault::store {

// "this passphrase", "the key file PATH": what an error says does not open it.
std::string how_opened(const Document& document, const VaultPaths& paths);

Result<Secret> find_master_key(const Document& document, const VaultPaths& paths, const PassphraseReader& passphrase);

// For a document with a new id and a `protection`, before anything is encrypted under it. In two steps, as the first may ask
// a person, whom nobody else should wait for, and the second writes files, which one at a time should do.
struct NewKey {
  const VaultPaths& paths;
  const PassphraseReader& passphrase;
  std::string key_file;  // kKeyFile: where it is made
  std::string
      credential_file;  // kSystemdCredential: where it is made, to be given to systemd; empty: systemd gives one already

  Result<Secret> before_lock(Document& document) const;  // empty where the key is under_lock()'s to make
  Result<Secret> under_lock(const Document& document) const;
  // What before_lock() kept somewhere goes again: the document came to nothing.
  static void abandon(const Document& document);
};

}  // namespace weir::vault::store
