// `weir policy fmt`: what can be formatted means the same afterwards, and formatting it again changes nothing.
#include <cstdint>
#include <cstdlib>

#include "policy/formatting.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir::policy;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto once = format_text(text, "/fuzz/policy.yaml");  // compares with the original itself
  if (!once.ok()) {
    // That it gives up on a file it could not keep is in order; that it would have changed one is worth knowing.
    for (const auto& diagnostic : once.diagnostics)
      if (diagnostic.message.starts_with("the file cannot be put into its usual form")) std::abort();
    return 0;
  }
  const auto twice = format_text(once.text, "/fuzz/policy.yaml");
  if (!twice.ok() || twice.text != once.text) std::abort();
  return 0;
}
