// Forms of tokens. What is found lies in the bytes, in order; what is needed again is at most kLongestRun; what is found in a part that is
// not needed again does not change with what follows.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/leaks/token_match.h"
#include "proxy/leaks/token_patterns.h"

using namespace weir::proxy::leaks;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::size_t end = 0;
  const auto check = [&](const TokenHit& hit) {
    if (hit.begin < end || hit.end <= hit.begin || hit.end > bytes.size() || hit.kind.empty()) std::abort();
    end = hit.end;
    return true;
  };
  find_tokens(bytes, check);
  end = 0;
  const std::size_t needed = scan_tokens(bytes, false, check);
  if (needed > bytes.size() || needed > kLongestRun) std::abort();

  // Every shape at every place, in its own memory, so that a read beyond it is seen.
  const std::vector<char> own(bytes.begin(), bytes.end());
  const std::string_view text(own.data(), own.size());
  const auto shapes = token_shapes();
  const auto& shape = shapes[data[0] % shapes.size()];
  if (text.size() < shape.anchor.size()) return 0;
  for (const bool last : {false, true}) {
    const auto verdict = token_at(shape, std::string(shape.anchor) + std::string(text), 0, last);
    if (verdict.kind == TokenVerdict::Kind::more && last) std::abort();
    for (std::size_t at = 0; at + shape.anchor.size() <= text.size() && at < 64; ++at) (void)token_at(shape, text, at, last);
  }
  (void)match_form(shape.form, text, true);
  return 0;
}
