#include "events/line_format.h"

#include <charconv>
#include <stdexcept>

#include "base/encoding.h"

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
constexpr std::size_t kLabel = 7 + 64;  // "sha256:" and the digits

}  // namespace

LineHasher::LineHasher() : context_(EVP_MD_CTX_new()) {
  if (!context_ || EVP_DigestInit_ex2(context_.get(), sha256(), nullptr) != 1) throw std::runtime_error("SHA-256 is not there");
}

std::string LineHasher::hash(std::string_view before_hash) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_DigestInit_ex2(context_.get(), nullptr, nullptr) != 1 || EVP_DigestUpdate(context_.get(), before_hash.data(), before_hash.size()) != 1 ||
      EVP_DigestUpdate(context_.get(), "}", 1) != 1 || EVP_DigestFinal_ex(context_.get(), digest, &size) != 1)
    throw std::runtime_error("SHA-256 failed");
  return "sha256:" + hex_encode({reinterpret_cast<const char*>(digest), size});
}

std::optional<LineParts> read_line(std::string_view line) {
  LineParts parts;
  const std::size_t tail = kHash.size() + kLabel + 2;
  if (!line.starts_with(kSeq) || line.size() < tail + kPrev.size() + kLabel + 1 || !line.ends_with("\"}")) return std::nullopt;
  const std::string_view end = line.substr(line.size() - tail);
  if (!end.starts_with(kHash)) return std::nullopt;
  parts.hash = end.substr(kHash.size(), kLabel);
  parts.hashed = line.substr(0, line.size() - tail);
  const std::size_t prev_tail = kPrev.size() + kLabel + 1;
  const std::string_view before = parts.hashed.substr(parts.hashed.size() - prev_tail);
  if (!before.starts_with(kPrev) || before.back() != '"') return std::nullopt;
  parts.prev = before.substr(kPrev.size(), kLabel);
  const auto [stop, error] = std::from_chars(line.data() + kSeq.size(), line.data() + line.size(), parts.seq);
  if (error != std::errc() || *stop != ',') return std::nullopt;
  return parts;
}

}  // namespace weir::events
