// Bodies, with needles and tokens looked for. The first bytes say how the body is encoded and cut; the rest is the body. Whatever the pieces,
// the same is found, all that was fed comes out, and nothing that was found has gone before. What is encoded here must be decoded.
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/leaks/body_scan.h"

using namespace weir::proxy::leaks;

namespace {

constexpr std::array<std::string_view, 8> kEncodings{"", "gzip", "deflate", "br", "gzip, gzip", "br, deflate", "deflate, br, gzip", "zstd"};
constexpr std::array<std::string_view, 5> kTexts{"secret", "secret-secret", "a%b/c+d\"e\\f\ng", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "0123456789abcdef0123456789abcdef"};

const Needles& needles() {
  static const Needles made = [] {
    std::vector<Needle> list;
    for (std::uint32_t i = 0; i < kTexts.size(); ++i) list.push_back({.id = i, .text = kTexts[i]});
    return std::move(Needles::make(list).value());
  }();
  return made;
}

struct Result {
  std::vector<std::pair<std::uint32_t, Form>> needles;
  std::vector<std::string> tokens;
  bool all = false;
};

Result scan(std::string_view body, std::string_view encoding, std::size_t piece) {
  BodyScan scan({.needles = &needles(), .tokens = true, .decoded_limit = 1 << 20}, encoding);
  Result result;
  std::string out;
  std::size_t at = 0;
  do {
    const std::size_t size = std::min(piece, body.size() - at);
    for (const auto& finding : scan.feed(body.substr(at, size), at + size == body.size(), out)) {
      if (finding.token)
        result.tokens.emplace_back(finding.kind);
      else
        result.needles.emplace_back(finding.needle, finding.form);
    }
    at += size;
    if (out.size() > at || body.substr(0, out.size()) != out) std::abort();
  } while (at < body.size());
  if (out != body) std::abort();
  result.all = scan.looked_at_all();
  std::sort(result.needles.begin(), result.needles.end());
  std::sort(result.tokens.begin(), result.tokens.end());
  return result;
}

std::string gzip(std::string_view text) {
  z_stream stream{};
  if (deflateInit2(&stream, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK) std::abort();
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));  // NOLINT: zlib only reads it
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto encoding = kEncodings[data[0] % kEncodings.size()];
  const std::size_t piece = 1 + data[1];
  const std::string_view body(reinterpret_cast<const char*>(data) + 2, size - 2);

  const auto whole = scan(body, encoding, SIZE_MAX), cut = scan(body, encoding, piece);
  if (whole.needles != cut.needles || whole.all != cut.all) std::abort();
  // Tokens that overlap are told as one, and which one hangs on where the bytes are cut; whether there is one does not.
  if (whole.tokens.empty() != cut.tokens.empty()) std::abort();

  // What stands in the clear is found when it is compressed.
  const auto plain = scan(body, "", SIZE_MAX), packed = scan(gzip(body), "gzip", piece);
  if (!packed.all) std::abort();
  if (!std::includes(packed.needles.begin(), packed.needles.end(), plain.needles.begin(), plain.needles.end())) std::abort();
  return 0;
}
