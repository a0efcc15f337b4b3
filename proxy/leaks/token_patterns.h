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
// services publish as examples, and placeholders of documentation, are no hits. In the order of their beginnings, no two of the
// same bytes. Stops when `found` gives false. Reentrant. Throws std::bad_alloc where there is no memory for the patterns (some KiB, at
// the first call).
void find_tokens(std::string_view bytes, const std::function<bool(const TokenHit&)>& found);

// How many bytes at the end may belong to a token that the next piece completes: from where its beginning is, kLongestRun at most.
// 0 where nothing has begun.
inline constexpr std::size_t kLongestRun = 4096;
std::size_t incomplete_token(std::string_view bytes);

// Both at once. Without `last` more follows: what would be a token if the bytes ended here is not told, but is among the bytes that the
// result says are needed again, before the next piece. `before`: what came before the bytes, three of them at least where there are so many.
std::size_t scan_tokens(std::string_view bytes, bool last, const std::function<bool(const TokenHit&)>& found, std::string_view before = {});

}  // namespace weir::proxy::leaks
