// Text that has the form of a well-known service's key or token, whoever's it is.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

namespace weir::proxy::leaks {

struct TokenHit {
  std::string_view kind;  // "aws-secret-key", "github-token" …; static
  std::size_t begin = 0, end = 0;
};

// Each kind has a fixed beginning or a check sum or enough shape of its own that ordinary text is not taken for one; what the
// services publish as examples, and placeholders of documentation, are no hits. Stops when `found` gives false. Reentrant.
void find_tokens(std::string_view bytes, const std::function<bool(const TokenHit&)>& found);

// How many bytes at the end may belong to a token that the next piece completes (a run of characters that tokens have, kLongestRun at most).
inline constexpr std::size_t kLongestRun = 512;
std::size_t incomplete_token(std::string_view bytes);

}  // namespace weir::proxy::leaks
