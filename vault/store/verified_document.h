// A document that was read, with the keys that open it; nothing is handed on before it has been checked whole.
#pragma once

#include <string>

#include "base/error.h"
#include "vault/store/cipher.h"
#include "vault/store/document.h"

namespace weir::vault::store {

std::string checksum_of(const Document& document);

// Puts checksum, seal and key check in order after a change.
void seal_document(Document& document, const Keys& keys);

// "vault_damaged" (bits lost), "vault_wrong_key", "vault_tampered" (changed by somebody without the key), in that
// order of suspicion; names the entry where that can be told. SECURITY: G4, all of the file is right or none is used.
Result<void> verify(const Document& document, const Keys& keys, const std::string& how_opened);

}  // namespace weir::vault::store
