// Keys of one day, region and service, and what is signed with them ("Calculate the signature" in AWS's general reference).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::proxy::sigv4 {

std::string sha256_hex(std::string_view bytes);
std::string timestamp_of(std::int64_t unix_seconds);  // 20260105T101112Z, in UTC

// "20260105/eu-central-1/s3/aws4_request"
std::string scope_of(std::string_view timestamp, std::string_view region, std::string_view service);

// SECURITY: G2, wiped when it is let go; the secret that it is derived from is not kept.
class SigningKey {
 public:
  SigningKey(std::string_view secret, std::string_view timestamp, std::string_view region, std::string_view service);
  SigningKey(const SigningKey&) = delete;
  SigningKey& operator=(const SigningKey&) = delete;
  ~SigningKey();
  std::string sign(std::string_view text) const;  // hex

 private:
  std::array<unsigned char, 32> key_{};
};

}  // namespace weir::proxy::sigv4
