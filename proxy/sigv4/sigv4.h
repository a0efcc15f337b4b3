// AWS Signature Version 4: a request that the sandbox signed with keys that mean nothing is signed anew with the true ones. Pure.
// Source: "Signature Version 4 signing process" in AWS's general reference, and "Authenticating requests" in the S3 API reference.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "proxy/credentials/draft_request.h"

namespace weir::proxy::sigv4 {

// Views into the value of a credential: "ID\nSECRET" or "ID\nSECRET\nTOKEN" (one line feed more at the end is let be).
struct Keys {
  std::string_view id, secret, token;
};
// "credential_unusable": it is not of that form, or a line holds what cannot stand in a signature.
Result<Keys> split_keys(std::string_view value);

// What a request is to be signed with, from its own head (a signature in the Authorization header or in the query), and the policy.
struct Plan {
  bool presigned = false;            // the signature goes into the query
  std::string region, service;       // of the scope
  std::string signed_headers;        // the client's, lower case, with ';' between; "" : usual ones
  std::int64_t expires_seconds = 0;  // presigned: 1 to 604800
  enum class Payload : std::uint8_t {
    hash_given,           // x-amz-content-sha256 says it
    unsigned_payload,     // UNSIGNED-PAYLOAD
    hash_needed,          // nothing said: the body has to be read first
    chunks_signed,        // STREAMING-AWS4-HMAC-SHA256-PAYLOAD
    chunks_signed_trailer,
    chunks_unsigned_trailer
  } payload = Payload::hash_needed;

  // Whether the body has to go through a ChunkSigner.
  bool signs_chunks() const { return payload == Payload::chunks_signed || payload == Payload::chunks_signed_trailer; }
};

// `region`, `service`: the policy's; where empty, the client's signature's. A request without any signature is signed in its header, when the
// policy says both.
// "signature_scope_missing": neither says it. "signature_unreadable": what is there is no signature of version 4 (also 4A, which is not done), or
// its payload is of a kind that is not done. "payload_hash_missing": the client signed for S3 and left out x-amz-content-sha256, which S3 refuses.
Result<Plan> plan(const DraftRequest& draft, std::string_view region, std::string_view service);

// Takes the client's signature out and puts its own in. `payload_hash`: hex, for hash_needed alone; x-amz-content-sha256 is set to it where it stands
// and for S3. `now`: seconds since 1970. `seed`, where given: the signature, for the chunks.
// What is signed is what the draft holds at last: call it after all other changes (Accept-Encoding, Host's authority, other credentials).
// The path and the query are written in the one encoding that every reader agrees on, so that what is signed is what goes out: the query's names and
// values, and S3's path, with all but unreserved characters percent-encoded ('+' in a query is a space); other paths with what RFC 3986 does not
// let stand there. Their order and decoded meaning stay.
// "payload_hash_missing": the hash is not given, or is none. "signature_scope_missing": the plan has no region or service.
Result<void> sign(DraftRequest& draft, const Plan& plan, const Keys& keys, std::int64_t now, std::string_view payload_hash, std::string* seed);

// Signs the chunks of a streaming payload anew: what comes in are the client's chunks with its signatures, what goes out are the
// same data in the same chunks, so that no length changes. A chunk is held until it is whole, `kLongestChunk` at most.
// A payload of any other kind goes on as it comes.
class ChunkSigner {
 public:
  static constexpr std::size_t kLongestChunk = 16U << 20;
  static constexpr std::size_t kLongestTrailer = 16U << 10;
  // `now` and `seed` as of sign(). Keeps nothing of `keys` but the key derived for that day, which is wiped in the end.
  ChunkSigner(const Plan& plan, const Keys& keys, std::int64_t now, std::string seed);
  ChunkSigner(ChunkSigner&&) noexcept;
  ChunkSigner& operator=(ChunkSigner&&) noexcept;
  ~ChunkSigner();
  // Appends to `out` what may go on. "chunk_malformed", "chunk_too_large": nothing more may go on then. With `last` the body must be complete.
  Result<void> feed(std::string_view piece, bool last, std::string& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// SHA-256 in hex, for hash_needed.
std::string payload_hash(std::string_view body);

}  // namespace weir::proxy::sigv4
