// One line of a segment: how it is hashed and how its frame is read back (docs/events.md).
#pragma once

#include <openssl/evp.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace weir::events {

// `prev` of a session's first event: the SHA-256 of nothing.
inline constexpr std::string_view kFirstPrevious = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
inline constexpr std::size_t kHashSize = 7 + 64;  // "sha256:" and the digits
// No writer of ours makes a longer one; a reader need not hold more to know that it is none.
inline constexpr std::size_t kMaxLine = 16U << 20;

// Hashes lines; keeps its digest context from line to line. Not thread-safe.
class LineHasher {
 public:
  LineHasher();
  // SHA-256 over the line without its hash: what stands before `,"hash":`, and the closing brace. The view lasts until
  // the next call.
  std::string_view hash(std::string_view before_hash);

 private:
  struct ContextFree {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, ContextFree> context_;
  char label_[kHashSize];
};

// The frame of a line, as views into it.
struct LineParts {
  std::uint64_t seq = 0;
  std::string_view hashed;  // what stands before `,"hash":`
  std::string_view prev;
  std::string_view hash;
};
// nullopt: not a line of ours. `line` is without its newline.
std::optional<LineParts> read_line(std::string_view line);

}  // namespace weir::events
