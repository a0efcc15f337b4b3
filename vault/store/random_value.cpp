#include "vault/store/random_value.h"

#include <openssl/rand.h>

#include <charconv>
#include <cstring>
#include <stdexcept>

#include "base/text.h"

namespace weir::vault::store {
namespace {

constexpr std::string_view kOpening = "{random:";
constexpr std::string_view kCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::size_t kLeast = 16;
constexpr std::size_t kMost = 4096;

std::unexpected<Error> invalid(std::string_view shape) {
  return fail("shape_invalid",
              "`" + printable(shape, 100) +
                  "` is not a shape: write text with {random:N} in it, 16 to 4096 random letters and digits in all");
}

// Each character equally likely: octets beyond the last whole multiple of 62 are drawn anew.
void fill(char* to, std::size_t count) {
  constexpr unsigned kFair = 256 / kCharacters.size() * kCharacters.size();
  while (count > 0) {
    unsigned char drawn = 0;
    if (RAND_priv_bytes(&drawn, 1) != 1) throw std::runtime_error("OpenSSL has no random octets");
    if (drawn < kFair) {
      *to++ = kCharacters[drawn % kCharacters.size()];
      --count;
    }
    wipe(&drawn, sizeof drawn);
  }
}

}  // namespace

Result<Secret> random_value(std::string_view shape) {
  Secret value = Secret::of_size(shape.size() + kMost);
  std::size_t size = 0;
  std::size_t random = 0;
  std::string_view rest = shape;
  while (!rest.empty()) {
    if (!rest.starts_with(kOpening)) {
      if (rest.front() == '{' || rest.front() == '}' || static_cast<unsigned char>(rest.front()) <= 0x20)
        return invalid(shape);
      value.data()[size++] = rest.front();
      rest.remove_prefix(1);
      continue;
    }
    rest.remove_prefix(kOpening.size());
    std::size_t count = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), count);
    if (error != std::errc() || end == rest.data() + rest.size() || *end != '}' || count == 0 || count > kMost - random)
      return invalid(shape);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()) + 1);
    fill(value.data() + size, count);
    size += count;
    random += count;
  }
  if (random < kLeast) return invalid(shape);
  value.shrink(size);
  return value;
}

}  // namespace weir::vault::store
