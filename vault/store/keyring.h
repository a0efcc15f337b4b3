// The master key in the desktop's keyring (the Secret Service of freedesktop.org), through libsecret where it is installed.
// Each call runs in a process of its own: libsecret brings GLib with its threads, copies and open connections, and none of
// that may be in a keeper that makes namespaces and holds secrets; and a keyring that asks a person can be left in time.
// Blocks: ten seconds at most, sixty where there is a desktop on which it may ask for its password.
//
// Errors: "keyring_unavailable" (no libsecret, no session bus, no Secret Service), "keyring_locked", "keyring_slow",
// "keyring_no_key", "keyring_failed".
#pragma once

#include <string>

#include "base/error.h"
#include "base/secret.h"

namespace weir::vault::store {

// `vault_id`: the document's, in hexadecimal; each vault and each of its keys has an item of its own.
Result<Secret> keyring_read(const std::string& vault_id);
// Written, and read back: what cannot be found again must not encrypt anything.
Result<void> keyring_write(const std::string& vault_id, const Secret& key);
Result<void> keyring_forget(const std::string& vault_id);

}  // namespace weir::vault::store
