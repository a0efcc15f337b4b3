#include "proxy/gate/secret_mask.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "proxy/gate/credentials_in_use.h"

namespace weir::proxy {

std::size_t SecretMask::mask(std::span<char> bytes) const {
  if (!active() || bytes.empty()) return 0;
  std::vector<std::pair<std::size_t, std::size_t>> found;
  needles_->find({bytes.data(), bytes.size()}, [&](const leaks::Hit& hit) {
    if (!CredentialsInUse::meaning_of(hit.id).is_placeholder) found.emplace_back(hit.begin, hit.end);
    return true;
  });
  std::ranges::sort(found);
  std::size_t count = 0;
  std::size_t masked_to = 0;
  for (const auto& [begin, end] : found) {  // one text may have been hit in two forms
    if (begin >= masked_to) ++count;
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(begin), bytes.begin() + static_cast<std::ptrdiff_t>(end), '*');
    masked_to = std::max(masked_to, end);
  }
  return count;
}

}  // namespace weir::proxy
