// AWS Signature Version 4: a request that the sandbox signed with keys that mean nothing is signed anew with the true ones. Pure.
// Source: "Signature Version 4 signing process" in AWS's general reference, and "Authenticating requests" in the S3 API reference.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "proxy/credentials/draft_request.h"

namespace weir::proxy::sigv4 {

// Views into the value of a credential: "ID\nSECRET" or "ID\nSECRET\nTOKEN".
struct Keys {
  std::string_view id, secret, token;
};
Result<Keys> split_keys(std::string_view value);

// What a request is to be signed with, from its own head (a signature in the Authorization header or in the query), and the policy.
struct Plan {
  bool presigned = false;          // the signature goes into the query
  std::string region, service;     // of the scope
  std::string signed_headers;      // the client's, lower case, without those of the signature itself; "" : usual ones
  std::int64_t expires_seconds = 0;  // presigned
  enum class Payload : std::uint8_t {
    hash_given,          // x-amz-content-sha256 says it
    unsigned_payload,    // UNSIGNED-PAYLOAD
    hash_needed,         // nothing said: the body has to be read first
    chunks_signed,       // STREAMING-AWS4-HMAC-SHA256-PAYLOAD
    chunks_signed_trailer,
    chunks_unsigned_trailer
  } payload = Payload::hash_needed;
};

// `region`, `service`: the policy's; where empty, the client's signature's. "signature_scope_missing": neither says it;
// "signature_unreadable": what is there is no signature of version 4 (also 4A, which is not done).
Result<Plan> plan(const DraftRequest& draft, std::string_view region, std::string_view service);

// Takes the client's signature out and puts its own in. `payload_hash`: hex, for hash_needed alone. `now`: seconds since 1970.
// What is signed is what the draft holds at last: call it after all other changes. `seed`: the signature, for the chunks.
Result<void> sign(DraftRequest& draft, const Plan& plan, const Keys& keys, std::int64_t now, std::string_view payload_hash, std::string* seed);

// Signs the chunks of a streaming payload anew: what comes in are the client's chunks with its signatures, what goes out are the
// same data in the same chunks, so that no length changes. A chunk is held until it is whole, `kLongestChunk` at most.
class ChunkSigner {
 public:
  static constexpr std::size_t kLongestChunk = 16U << 20;
  ChunkSigner(const Plan& plan, const Keys& keys, std::int64_t now, std::string seed);
  ChunkSigner(ChunkSigner&&) noexcept;
  ~ChunkSigner();
  // "chunk_malformed", "chunk_too_large". With `last` the body must be complete.
  Result<void> feed(std::string_view piece, bool last, std::string& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// SHA-256 in hex, for hash_needed.
std::string payload_hash(std::string_view body);

}  // namespace weir::proxy::sigv4
