#include "vault/store/verified_document.h"

namespace weir::vault::store {
namespace {

// The entries whose sealed value does not open where it stands, for the error's sentence; empty: all do.
std::string wrong_entries(const Document& document, const Keys& keys) {
  std::string wrong;
  for (const auto& [name, versions] : document.entries)
    for (const Version& version : versions) {
      if (open_value(keys, document.id, name, version)) continue;
      if (!wrong.empty()) wrong += ", ";
      wrong += "entry `" + name + "` version " + std::to_string(version.number);
    }
  return wrong;
}

constexpr const char* kMend = "; restore the file from a backup, or move it away and set its entries again";

}  // namespace

std::string checksum_of(const Document& document) { return sha256(signed_text(document) + document.seal); }

void seal_document(Document& document, const Keys& keys) {
  document.key_check = keys.check;
  document.seal = hmac_sha256(keys.sealing, signed_text(document));
  document.checksum = checksum_of(document);
}

Result<void> verify(const Document& document, const Keys& keys, const std::string& how_opened) {
  const bool key_right = equal_in_constant_time(document.key_check, keys.check);
  if (!equal_in_constant_time(document.checksum, checksum_of(document))) {
    const std::string where = key_right ? wrong_entries(document, keys) : "";
    return fail(
        "vault_damaged",
        (where.empty() ? "its checksum does not match: some of it was changed or lost" : where + " is damaged") + kMend);
  }
  if (!key_right) return fail("vault_wrong_key", how_opened + " does not open it");
  if (!equal_in_constant_time(document.seal, hmac_sha256(keys.sealing, signed_text(document)))) {
    const std::string where = wrong_entries(document, keys);
    return fail("vault_tampered",
                (where.empty() ? "it was changed by something other than weir (an entry or version taken out, put back or "
                                 "moved, or its header edited)"
                               : where + " was changed by something other than weir") +
                    kMend);
  }
  return {};
}

}  // namespace weir::vault::store
