// The master key as systemd gives it to a service: LoadCredential=, LoadCredentialEncrypted= (systemd.exec(5),
// https://systemd.io/CREDENTIALS/). A file in $CREDENTIALS_DIRECTORY, of the same content as the key file.
#pragma once

#include <string>

#include "base/error.h"
#include "base/secret.h"

namespace weir::vault::store {

std::string systemd_credential_name();  // $WEIR_VAULT_CREDENTIAL, else "weir-vault-key"

// 32 octets. "credential_directory_unset", "credential_missing", "credential_name", "credential_mode", "vault_key_invalid".
Result<Secret> read_systemd_credential();

}  // namespace weir::vault::store
