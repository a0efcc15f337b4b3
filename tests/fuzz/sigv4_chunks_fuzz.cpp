// Chunks that are signed anew. The first octet says which form and how the body is cut. Whatever the pieces, the same goes out; and it differs from what
// came in by signatures alone.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "proxy/sigv4/sigv4.h"

using namespace weir::proxy::sigv4;

namespace {

struct Got {
  std::string out, error;
  bool operator==(const Got&) const = default;
};

Got feed(const Plan& plan, std::string_view body, std::size_t piece) {
  ChunkSigner signer(plan, {"ID", "secret", ""}, 1767607872, std::string(64, '0'));
  Got got;
  for (std::size_t at = 0; at < body.size(); at += piece)
    if (auto fed = signer.feed(body.substr(at, piece), at + piece >= body.size(), got.out); !fed) {
      got.error = fed.error().code;
      return got;
    }
  return got;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  Plan plan;
  plan.region = "r";
  plan.service = "s3";
  plan.payload = (data[0] & 1) != 0 ? Plan::Payload::chunks_signed_trailer : Plan::Payload::chunks_signed;
  const std::size_t piece = 1 + (data[0] >> 1);
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = feed(plan, body, body.size());
  if (feed(plan, body, piece) != whole) std::abort();
  if (!whole.error.empty() && whole.error != "chunk_malformed" && whole.error != "chunk_too_large") std::abort();
  if (whole.out.size() > body.size() || (whole.error.empty() && whole.out.size() != body.size())) std::abort();
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); };
  for (std::size_t i = 0; i < whole.out.size(); ++i)
    if (whole.out[i] != body[i] && !(is_hex(whole.out[i]) && is_hex(body[i]))) std::abort();
  return 0;
}
