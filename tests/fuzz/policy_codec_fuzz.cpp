// The policy as it comes over the channel: what decode() takes is exactly what encode() writes.
#include <cstdint>
#include <cstdlib>

#include "policy/policy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir::policy;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  auto document = decode(bytes);
  if (!document) return 0;
  if (encode(*document) != bytes) std::abort();
  (void)Policy::compile(std::move(*document));
  return 0;
}
