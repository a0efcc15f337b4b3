#include "proxy/gate/secret_mask.h"

#include <algorithm>
#include <cstring>

namespace weir::proxy {

void SecretMask::add(std::string_view secret) {
  if (secret.size() >= kShortest) secrets_.push_back(secret);
}

std::size_t SecretMask::mask(std::span<char> bytes) const {
  std::size_t found = 0;
  for (const std::string_view secret : secrets_) {
    char* from = bytes.data();
    char* const end = bytes.data() + bytes.size();
    while (static_cast<std::size_t>(end - from) >= secret.size()) {
      void* const at = memmem(from, static_cast<std::size_t>(end - from), secret.data(), secret.size());
      if (at == nullptr) break;
      std::memset(at, '*', secret.size());
      from = static_cast<char*>(at) + secret.size();
      ++found;
    }
  }
  return found;
}

std::size_t SecretMask::incomplete(std::string_view bytes) const {
  std::size_t longest = 0;
  for (const std::string_view secret : secrets_)
    for (std::size_t size = std::min(secret.size() - 1, bytes.size()); size > longest; --size)
      if (bytes.substr(bytes.size() - size) == secret.substr(0, size)) {
        longest = size;
        break;
      }
  return longest;
}

}  // namespace weir::proxy
