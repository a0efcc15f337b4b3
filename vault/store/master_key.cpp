#include "vault/store/master_key.h"

#include "base/encoding.h"
#include "vault/store/cipher.h"
#include "vault/store/key_file.h"
#include "vault/store/key_text.h"
#include "vault/store/keyring.h"
#include "vault/store/systemd_credential.h"

namespace weir::vault::store {
namespace {

Result<Secret> key_of_passphrase(const Document& document, const PassphraseReader& passphrase) {
  const auto given = passphrase();
  if (!given) return std::unexpected(given.error());
  return derive_master_key(*given, *document.scrypt);
}

Result<Secret> key_of_file(const VaultPaths& paths) {
  auto key = read_key_file(paths.key_file);
  if (!key && key.error().code == "file_missing")
    return fail("vault_key_missing",
                "the vault's key file " + paths.key_file + " is missing, and " + paths.store_file +
                    " cannot be opened without it; restore it from a backup, or move the vault away and begin anew");
  return key;
}

Result<Secret> key_for_keyring(const Document& document) {
  Secret key = new_master_key();
  if (auto kept = keyring_write(hex_encode(document.id), key); !kept) return std::unexpected(kept.error());
  return key;
}

}  // namespace

std::string how_opened(const Document& document, const VaultPaths& paths) {
  switch (document.protection) {
    case Protection::kKeyFile:
      return "the key file " + paths.key_file;
    case Protection::kPassphrase:
      return "this passphrase";
    case Protection::kKeyring:
      return "the desktop keyring's key";
    case Protection::kSystemdCredential:
      return "the systemd credential `" + systemd_credential_name() + "`";
  }
  return "";
}

Result<Secret> find_master_key(const Document& document, const VaultPaths& paths, const PassphraseReader& passphrase) {
  switch (document.protection) {
    case Protection::kKeyFile:
      return key_of_file(paths);
    case Protection::kPassphrase:
      return key_of_passphrase(document, passphrase);
    case Protection::kKeyring:
      return keyring_read(hex_encode(document.id));
    case Protection::kSystemdCredential:
      return read_systemd_credential();
  }
  return fail("vault_damaged", "it does not say where its key is");
}

Result<Secret> NewKey::before_lock(Document& document) const {
  switch (document.protection) {
    case Protection::kPassphrase:
      document.scrypt = Scrypt{.salt = random_bytes(16)};
      return key_of_passphrase(document, passphrase);
    case Protection::kKeyring:
      return key_for_keyring(document);
    case Protection::kSystemdCredential:
      if (credential_file.empty()) return read_systemd_credential();
      return Secret();
    case Protection::kKeyFile:
      break;
  }
  return Secret();
}

Result<Secret> NewKey::under_lock(const Document& document) const {
  return read_or_create_key_file(document.protection == Protection::kKeyFile ? key_file : credential_file);
}

void NewKey::abandon(const Document& document) {
  if (document.protection == Protection::kKeyring) (void)keyring_forget(hex_encode(document.id));
}

}  // namespace weir::vault::store
