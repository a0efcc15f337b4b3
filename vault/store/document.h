// The embedded store's file as a value, and the one way to read and write it (docs/vault-format.md). Knows no keys:
// what is encrypted stays so here.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "vault/protection.h"

namespace weir::vault::store {

struct Scrypt {
  std::uint64_t n = 1U << 15U;
  std::uint32_t r = 8;
  std::uint32_t p = 1;
  std::string salt;  // 16 octets
  bool operator==(const Scrypt&) const = default;
};

struct Version {
  std::uint64_t number = 0;
  std::string created;  // RFC 3339
  std::string nonce;    // 12 octets
  std::string sealed;   // ciphertext and 16 octets of tag
  bool operator==(const Version&) const = default;
};

struct Document {
  std::string id;                                       // 16 random octets; made anew with each master key
  Protection protection = Protection::kKeyFile;         // where the master key is
  std::optional<Scrypt> scrypt;                         // with a passphrase, and then only
  std::string key_check;                                // 32 octets: tells a wrong key from a damaged file
  std::uint64_t generation = 0;                         // counts writes
  std::map<std::string, std::vector<Version>> entries;  // oldest version first
  std::string checksum;                                 // SHA-256 over signed_text() and seal: tells damage without any key
  std::string seal;                                     // HMAC over signed_text()
  bool operator==(const Document&) const = default;
};

inline constexpr std::size_t kMaxFile = 16U << 20;
inline constexpr std::size_t kMaxValue = 64U * 1024;

// 1 to 128 of letters, digits, '.', '_', '-', '/', not beginning or ending with '/' or '.'.
bool is_entry_name(std::string_view name);

// All but checksum and seal, in one form.
std::string signed_text(const Document& document);
std::string to_text(const Document& document);

// Refuses ("vault_damaged", with the place) all that to_text() could not have written, unknown keys included; checks
// neither checksum nor seal. KDF parameters beyond what this program would spend are refused too.
Result<Document> parse_document(std::string_view text);

}  // namespace weir::vault::store
