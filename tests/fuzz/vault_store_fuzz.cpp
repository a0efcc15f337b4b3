// Any octets as the vault's file: no crash, and what is read is written back the same and read the same again; a
// passphrase's parameters are there with a passphrase and with no other kind of key, and never more than a reader would
// spend.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "vault/store/document.h"
#include "vault/store/verified_document.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir::vault;
  const auto document = store::parse_document({reinterpret_cast<const char*>(data), size});
  if (!document) return 0;
  const auto again = store::parse_document(store::to_text(*document));
  if (!again || *again != *document) std::abort();
  if (document->scrypt.has_value() != (document->protection == Protection::kPassphrase)) std::abort();
  if (document->scrypt && 128 * document->scrypt->n * document->scrypt->r > (1U << 30U)) std::abort();
  // Made with no key at all: nothing of it may pass for the store of this one.
  static const store::Keys keys = store::derive_keys(weir::Secret("0123456789abcdef0123456789abcdef"), "0123456789abcdef");
  if (store::verify(*document, keys, "this key")) std::abort();
  return 0;
}
