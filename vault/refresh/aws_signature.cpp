#include "vault/refresh/aws_signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <ctime>
#include <stdexcept>

#include "base/encoding.h"
#include "base/secret.h"
#include "vault/secret_text.h"

namespace weir::vault {
namespace {

constexpr std::size_t kDigest = 32;

Secret hmac(std::string_view key, std::string_view text) {
  Secret out = Secret::of_size(kDigest);
  unsigned size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()), text.size(),
           reinterpret_cast<unsigned char*>(out.data()), &size) == nullptr ||
      size != kDigest)
    throw std::runtime_error("HMAC failed");
  return out;
}

std::string sha256_hex(std::string_view bytes) { return sha256_label(bytes).substr(sizeof "sha256:" - 1); }

std::string basic_time(std::int64_t now) {  // ISO 8601, basic form
  const std::time_t seconds = now;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &parts);
  return text;
}

}  // namespace

AwsSignature sign_aws_post(const AwsPost& post, std::string_view id, std::string_view secret, std::string_view token, std::int64_t now) {
  AwsSignature signature{basic_time(now), {}};
  const std::string day = signature.date.substr(0, 8);
  const std::string names = token.empty() ? "content-type;host;x-amz-date" : "content-type;host;x-amz-date;x-amz-security-token";
  const Secret canonical = joined({"POST\n", post.path, "\n\n", "content-type:", post.content_type, "\nhost:", post.host,
                                   "\nx-amz-date:", signature.date, "\n", token.empty() ? "" : "x-amz-security-token:", token,
                                   token.empty() ? "" : "\n", "\n", names, "\n", sha256_hex(post.body)});
  const std::string scope = day + "/" + post.region + "/" + post.service + "/aws4_request";
  const std::string to_sign =
      "AWS4-HMAC-SHA256\n" + signature.date + "\n" + scope + "\n" + sha256_hex(canonical.reveal());
  const Secret of_day = hmac(joined({"AWS4", secret}).reveal(), day);
  const Secret of_region = hmac(of_day.reveal(), post.region);
  const Secret of_service = hmac(of_region.reveal(), post.service);
  const Secret key = hmac(of_service.reveal(), "aws4_request");
  signature.authorization = "AWS4-HMAC-SHA256 Credential=" + std::string(id) + "/" + scope + ", SignedHeaders=" + names +
                            ", Signature=" + hex_encode(hmac(key.reveal(), to_sign).reveal());
  return signature;
}

}  // namespace weir::vault
