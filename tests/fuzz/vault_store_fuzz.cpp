// Any octets as the vault's file: no crash, and what is read is written back the same and read the same again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "vault/store/document.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto document = weir::vault::store::parse_document({reinterpret_cast<const char*>(data), size});
  if (!document) return 0;
  const auto again = weir::vault::store::parse_document(weir::vault::store::to_text(*document));
  if (!again || *again != *document) std::abort();
  return 0;
}
