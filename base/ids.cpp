#include "base/ids.h"

#include <array>
#include <chrono>
#include <cstdint>

#include "base/encoding.h"

namespace weir {
namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

// Identifiers are made at every request: random bytes are fetched a few hundred at a time.
class RandomPool {
 public:
  std::uint8_t next() {
    if (used_ == pool_.size()) {
      pool_ = random_bytes(1280);
      used_ = 0;
    }
    return static_cast<std::uint8_t>(pool_[used_++]);
  }

 private:
  std::string pool_;
  std::size_t used_ = 0;
};

}  // namespace

std::string make_id(std::string_view prefix) {
  thread_local RandomPool random;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto ms = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
  std::string id;
  id.reserve(prefix.size() + 27);
  id.append(prefix);
  id.push_back('_');
  for (int shift = 45; shift >= 0; shift -= 5) id.push_back(kAlphabet[(ms >> shift) & 31]);
  for (int i = 0; i < 16; ++i) id.push_back(kAlphabet[random.next() & 31]);
  return id;
}

bool is_id(std::string_view text, std::string_view prefix) {
  if (text.size() != prefix.size() + 27 || !text.starts_with(prefix) || text[prefix.size()] != '_') return false;
  for (const char c : text.substr(prefix.size() + 1))
    if (kAlphabet.find(c) == std::string_view::npos) return false;
  return true;
}

}  // namespace weir
