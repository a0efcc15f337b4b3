// "Signature calculations for the Authorization header: transferring payload in multiple chunks" in the S3 API reference, with and without
// trailing headers.
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.h"
#include "proxy/sigv4/payload.h"
#include "proxy/sigv4/signing_key.h"
#include "proxy/sigv4/sigv4.h"

namespace weir::proxy::sigv4 {
namespace {

constexpr std::string_view kExtension = ";chunk-signature=";
constexpr std::string_view kTrailerSignature = "x-amz-trailer-signature";
constexpr std::size_t kSignatureSize = 64;
constexpr std::size_t kLongestSize = 16;  // hex digits
constexpr std::size_t kLongestLine = kLongestSize + kExtension.size() + kSignatureSize + 2;

std::unexpected<Error> malformed(const char* what) { return fail("chunk_malformed", std::string("the signed chunks of the body are malformed: ") + what); }

std::optional<std::uint64_t> parse_size(std::string_view digits) {
  if (digits.empty() || digits.size() > kLongestSize) return std::nullopt;
  std::uint64_t size = 0;
  for (const char c : digits) {
    const int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    if (value < 0) return std::nullopt;
    size = size << 4 | static_cast<std::uint64_t>(value);
  }
  return size;
}

}  // namespace

struct ChunkSigner::State {
  State(const Plan& plan, const Keys& keys, std::int64_t now, std::string seed)
      : passes_on(!plan.signs_chunks()),
        has_trailer(plan.payload == Plan::Payload::chunks_signed_trailer),
        timestamp(timestamp_of(now)),
        scope(scope_of(timestamp, plan.region, plan.service)),
        previous(std::move(seed)),
        key(keys.secret, timestamp, plan.region, plan.service) {}

  bool passes_on, has_trailer;
  std::string timestamp, scope, previous;
  SigningKey key;
  std::string held;
  enum class Next : std::uint8_t { chunk, trailer, nothing } next = Next::chunk;
  bool failed = false;

  std::string sign(std::string_view kind, std::string_view hashes) {
    std::string text(kind);
    text.append("\n").append(timestamp).append("\n").append(scope).append("\n").append(previous).append("\n").append(hashes);
    return previous = key.sign(text);
  }

  // Each gives how many octets at the beginning of `text` it dealt with; 0: not whole yet.
  Result<std::size_t> take_chunk(std::string_view text, std::string& out);
  Result<std::size_t> take_trailer(std::string_view text, std::string& out);
  Result<void> take_all(std::string& out);
};

Result<std::size_t> ChunkSigner::State::take_chunk(std::string_view text, std::string& out) {
  const auto end_of_line = text.substr(0, kLongestLine).find("\r\n");
  if (end_of_line == std::string_view::npos) {
    if (text.size() >= kLongestLine) return malformed("a chunk's first line is too long");
    return 0U;
  }
  const auto line = text.substr(0, end_of_line);
  const auto mark = line.find(kExtension);
  if (mark == std::string_view::npos || line.size() != mark + kExtension.size() + kSignatureSize || !is_hash(line.substr(line.size() - kSignatureSize)))
    return malformed("a chunk's first line is not SIZE;chunk-signature=SIGNATURE");
  const auto size = parse_size(line.substr(0, mark));
  if (!size) return malformed("a chunk's size is none");
  if (*size > kLongestChunk) return fail("chunk_too_large", "a signed chunk of the body is larger than 16 MiB: let the tool send smaller ones");
  const auto begin = end_of_line + 2;
  // The last chunk with a trailer behind it has no empty line of its own.
  const bool ends_line = *size > 0 || !has_trailer;
  const auto end = begin + static_cast<std::size_t>(*size) + (ends_line ? 2 : 0);
  if (text.size() < end) return 0U;
  if (ends_line && text.substr(end - 2, 2) != "\r\n") return malformed("a chunk does not end where its size says");
  const auto data = text.substr(begin, static_cast<std::size_t>(*size));
  out.append(line.substr(0, mark)).append(kExtension);
  out.append(sign("AWS4-HMAC-SHA256-PAYLOAD", sha256_hex("") + "\n" + sha256_hex(data)));
  out.append(text.substr(end_of_line, end - end_of_line));
  if (*size == 0) next = has_trailer ? Next::trailer : Next::nothing;
  return end;
}

// NAME:VALUE lines, x-amz-trailer-signature:SIGNATURE, an empty line. A line ends in CRLF; before it there may be a LF, as AWS's own example has it.
Result<std::size_t> ChunkSigner::State::take_trailer(std::string_view text, std::string& out) {
  std::vector<std::string> lines;
  std::size_t at = 0, signature_at = 0;
  bool bare = false;  // the line before ended in a LF alone
  for (;;) {
    const auto end = text.find('\n', at);
    if (end == std::string_view::npos || end >= kLongestTrailer) {
      if (text.size() > kLongestTrailer) return malformed("the trailer is too long");
      return 0U;
    }
    const bool with_return = end > at && text[end - 1] == '\r';
    const auto line = text.substr(at, end - at - (with_return ? 1 : 0));
    const bool after_bare = std::exchange(bare, !with_return);
    const auto from = std::exchange(at, end + 1);
    if (line.empty() && with_return && signature_at > 0) break;
    if (line.empty() && with_return && after_bare) continue;
    const auto colon = line.find(':');
    if (colon == 0 || colon == std::string_view::npos || signature_at > 0) return malformed("the trailer is not NAME:VALUE lines with x-amz-trailer-signature as the last");
    const auto name = to_lower(line.substr(0, colon));
    const auto value = trim(line.substr(colon + 1));
    if (name != kTrailerSignature) {
      lines.push_back(name + ":" + std::string(value) + "\n");
      continue;
    }
    if (!is_hash(value) || !with_return) return malformed("the trailer's signature is none");
    signature_at = from + static_cast<std::size_t>(value.data() - line.data());
  }
  std::sort(lines.begin(), lines.end());
  std::string canonical;
  for (const auto& line : lines) canonical += line;
  out.append(text.substr(0, signature_at)).append(sign("AWS4-HMAC-SHA256-TRAILER", sha256_hex(canonical)));
  out.append(text.substr(signature_at + kSignatureSize, at - signature_at - kSignatureSize));
  next = Next::nothing;
  return at;
}

Result<void> ChunkSigner::State::take_all(std::string& out) {
  std::size_t at = 0;
  while (at < held.size()) {
    const auto rest = std::string_view(held).substr(at);
    if (next == Next::nothing) return malformed("something follows the last chunk");
    const auto taken = next == Next::chunk ? take_chunk(rest, out) : take_trailer(rest, out);
    if (!taken) return std::unexpected(taken.error());
    if (*taken == 0) break;
    at += *taken;
  }
  held.erase(0, at);
  return {};
}

ChunkSigner::ChunkSigner(const Plan& plan, const Keys& keys, std::int64_t now, std::string seed)
    : state_(std::make_unique<State>(plan, keys, now, std::move(seed))) {}
ChunkSigner::ChunkSigner(ChunkSigner&&) noexcept = default;
ChunkSigner& ChunkSigner::operator=(ChunkSigner&&) noexcept = default;
ChunkSigner::~ChunkSigner() = default;

Result<void> ChunkSigner::feed(std::string_view piece, bool last, std::string& out) {
  State& state = *state_;
  if (state.passes_on) {
    out.append(piece);
    return {};
  }
  if (state.failed) return malformed("a chunk before was malformed");
  state.held.append(piece);
  auto taken = state.take_all(out);
  if (taken && last && state.next != State::Next::nothing) taken = malformed("the body ends before its last chunk");
  state.failed = !taken;
  return taken;
}

}  // namespace weir::proxy::sigv4
