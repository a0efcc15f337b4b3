#include "events/line_format.h"

#include <charconv>
#include <cstring>
#include <stdexcept>

namespace weir::events {
namespace {

// Fetched once: looking the algorithm up costs more than hashing a line.
const EVP_MD* sha256() {
  static EVP_MD* const kDigest = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return kDigest;
}

constexpr std::string_view kSeq = "{\"seq\":";
constexpr std::string_view kPrev = ",\"prev\":\"";
constexpr std::string_view kHash = ",\"hash\":\"";
constexpr std::uint64_t kMaxSeq = 1ULL << 53;  // what every JSON reader holds exactly (RFC 8259 §6)

// A recorded hash is quoted in the line that follows: it must be able to say nothing else.
bool is_hash(std::string_view label) {
  return label.starts_with("sha256:") && label.find_first_not_of("0123456789abcdef", 7) == std::string_view::npos;
}

}  // namespace

LineHasher::LineHasher() : context_(EVP_MD_CTX_new()) {
  std::memcpy(label_, kFirstPrevious.data(), kHashSize);
  if (!context_ || EVP_DigestInit_ex2(context_.get(), sha256(), nullptr) != 1)
    throw std::runtime_error("SHA-256 is not there");
}

std::string_view LineHasher::hash(std::string_view before_hash) {
  static constexpr char kDigits[] = "0123456789abcdef";
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_DigestInit_ex2(context_.get(), nullptr, nullptr) != 1 ||
      EVP_DigestUpdate(context_.get(), before_hash.data(), before_hash.size()) != 1 ||
      EVP_DigestUpdate(context_.get(), "}", 1) != 1 || EVP_DigestFinal_ex(context_.get(), digest, &size) != 1 || size != 32)
    throw std::runtime_error("SHA-256 failed");
  for (std::size_t i = 0; i < 32; ++i) {
    label_[7 + 2 * i] = kDigits[digest[i] >> 4];
    label_[8 + 2 * i] = kDigits[digest[i] & 15];
  }
  return {label_, kHashSize};
}

std::optional<LineParts> read_line(std::string_view line) {
  LineParts parts;
  const std::size_t tail = kHash.size() + kHashSize + 2;
  const std::size_t prev_tail = kPrev.size() + kHashSize + 1;
  if (!line.starts_with(kSeq) || line.size() < kSeq.size() + prev_tail + tail || !line.ends_with("\"}")) return std::nullopt;
  const std::string_view end = line.substr(line.size() - tail);
  if (!end.starts_with(kHash)) return std::nullopt;
  parts.hash = end.substr(kHash.size(), kHashSize);
  parts.hashed = line.substr(0, line.size() - tail);
  const std::string_view before = parts.hashed.substr(parts.hashed.size() - prev_tail);
  if (!before.starts_with(kPrev) || before.back() != '"') return std::nullopt;
  parts.prev = before.substr(kPrev.size(), kHashSize);
  const auto [stop, error] = std::from_chars(line.data() + kSeq.size(), line.data() + line.size(), parts.seq);
  if (error != std::errc() || *stop != ',' || parts.seq > kMaxSeq || !is_hash(parts.prev) || !is_hash(parts.hash))
    return std::nullopt;
  return parts;
}

}  // namespace weir::events
