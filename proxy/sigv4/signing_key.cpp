#include "proxy/sigv4/signing_key.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstdio>
#include <ctime>
#include <stdexcept>

#include "base/encoding.h"
#include "base/secret.h"
#include "proxy/credentials/wiped_text.h"

namespace weir::proxy::sigv4 {
namespace {

using Digest = std::array<unsigned char, 32>;

// `key` may be `out`'s own bytes.
void hmac(std::string_view key, std::string_view text, Digest& out) {
  Digest result{};
  unsigned size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()), text.size(), result.data(), &size) ==
      nullptr)
    throw std::runtime_error("OpenSSL gives no HMAC-SHA-256");
  out = result;
  wipe(result.data(), result.size());
}

std::string_view view(const Digest& digest) { return {reinterpret_cast<const char*>(digest.data()), digest.size()}; }

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  Digest digest{};
  unsigned size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) throw std::runtime_error("OpenSSL gives no SHA-256");
  return hex_encode(view(digest));
}

std::string timestamp_of(std::int64_t unix_seconds) {
  const auto time = static_cast<std::time_t>(unix_seconds);
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[32];
  const auto size = std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &parts);
  return {text, size};
}

std::string scope_of(std::string_view timestamp, std::string_view region, std::string_view service) {
  std::string scope(timestamp.substr(0, 8));
  return scope.append("/").append(region).append("/").append(service).append("/aws4_request");
}

SigningKey::SigningKey(std::string_view secret, std::string_view timestamp, std::string_view region, std::string_view service) {
  WipedText first("AWS4");
  first.append(secret);
  hmac(first.view(), timestamp.substr(0, 8), key_);
  for (const auto part : {region, service, std::string_view("aws4_request")}) hmac(view(key_), part, key_);
}

SigningKey::~SigningKey() { wipe(key_.data(), key_.size()); }

std::string SigningKey::sign(std::string_view text) const {
  Digest digest{};
  hmac(view(key_), text, digest);
  return hex_encode(view(digest));
}

}  // namespace weir::proxy::sigv4
