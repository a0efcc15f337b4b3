// Policy files. What loads without an error must compile, and come through the channel unchanged.
#include <cstdint>
#include <cstdlib>

#include "policy/lint.h"
#include "policy/loader.h"
#include "policy/matching/time_window.h"
#include "policy/policy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir::policy;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto loaded = load_text(text, "/fuzz/policy.yaml");
  add_warnings(loaded, text);
  for (const auto& diagnostic : loaded.diagnostics)
    if (format(diagnostic).find_first_of("\x1b\r\t") != std::string::npos) std::abort();
  if (!loaded.ok()) return 0;
  for (const auto& rule : loaded.document.rules)
    for (const auto& window : rule.when)
      for (const std::int64_t now : {0LL, 1'780'000'000LL, 1'790'000'000LL}) (void)holds(window, now);
  const auto decoded = decode(encode(loaded.document));
  if (!decoded || *decoded != proxys_part(loaded.document)) std::abort();
  if (!Policy::compile(std::move(loaded.document))) std::abort();
  return 0;
}
