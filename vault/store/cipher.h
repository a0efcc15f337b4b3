// The store's cryptography: keys from a master key, values sealed with AES-256-GCM, the file sealed with HMAC-SHA-256.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"
#include "vault/store/document.h"

namespace weir::vault::store {

// 32 octets from a passphrase (RFC 7914).
Result<Secret> derive_master_key(const Secret& passphrase, const Scrypt& parameters);

// The keys for one document, derived from the master key and the document's id (HKDF, RFC 5869).
struct Keys {
  Secret encryption;
  Secret sealing;
  std::string check;  // what Document::key_check must be; tells nothing about the key
};
Keys derive_keys(const Secret& master, std::string_view document_id);

// Fills in nonce and sealed. The document's id, the entry's name, the version's number and its time are bound in, so
// that no sealed value can stand anywhere but where it was put. SECURITY: G2.
void seal_value(const Keys& keys, std::string_view document_id, std::string_view entry, Version& version,
                const Secret& value);
std::optional<Secret> open_value(const Keys& keys, std::string_view document_id, std::string_view entry,
                                 const Version& version);

std::string sha256(std::string_view text);
std::string hmac_sha256(const Secret& key, std::string_view text);
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace weir::vault::store
