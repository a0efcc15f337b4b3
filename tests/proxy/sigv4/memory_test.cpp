// SECURITY: G2. Nothing of the secret key, the session token or a derived key is left in memory once a signature is made and its draft is gone.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <openssl/hmac.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>

#include "base/secret.h"
#include "base/unique_fd.h"
#include "proxy/sigv4/signing_key.h"
#include "tests/proxy/sigv4/testing.h"

namespace weir::proxy::sigv4 {
namespace {

using namespace test;

constexpr unsigned char kMask = 0x5a;
constexpr std::size_t kNeedle = 24;

// Text that stands nowhere but where reveal() writes it.
using Masked = std::array<unsigned char, kNeedle>;
Masked masked(unsigned char start) {
  Masked out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<unsigned char>(('A' + (start + i * 7) % 26) ^ kMask);
  return out;
}
void reveal(const Masked& text, char* to) {
  for (const auto c : text) *to++ = static_cast<char>(c ^ kMask);
}
Masked mask(const unsigned char* bytes) {
  Masked out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = bytes[i] ^ kMask;
  return out;
}

// How often it stands in this process's writable memory. The window that it is looked for through is masked too.
int occurrences(const Masked& needle) {
  static std::array<unsigned char, 1 << 16> window;
  const UniqueFd memory(open("/proc/self/mem", O_RDONLY | O_CLOEXEC));
  std::ifstream maps("/proc/self/maps");
  int found = 0;
  for (std::string line; std::getline(maps, line);) {
    unsigned long from = 0, to = 0;
    char mode[8] = {};
    if (std::sscanf(line.c_str(), "%lx-%lx %7s", &from, &to, mode) != 3 || mode[0] != 'r' || mode[1] != 'w') continue;
    if (to - from > (1UL << 25)) continue;  // a sanitiser's own books
    for (auto at = from; at < to; at += window.size() - kNeedle) {
      const auto got = pread(memory.get(), window.data(), std::min<std::size_t>(window.size(), to - at), static_cast<off_t>(at));
      if (got < static_cast<ssize_t>(kNeedle)) break;
      for (ssize_t i = 0; i < got; ++i) window[static_cast<std::size_t>(i)] ^= kMask;
      const auto end = window.begin() + got;
      for (auto hit = std::search(window.begin(), end, needle.begin(), needle.end()); hit != end; hit = std::search(hit + 1, end, needle.begin(), needle.end()))
        if (hit - window.begin() < static_cast<std::ptrdiff_t>(window.size() - kNeedle)) ++found;
    }
  }
  window.fill(0);
  return found;
}

// "ID\nSECRET\nTOKEN"
Secret value_of(const Masked& secret, const Masked& token) {
  Secret value = Secret::of_size(4 + 2 * kNeedle);
  std::copy_n("ID\n", 3, value.data());
  reveal(secret, value.data() + 3);
  value.data()[3 + kNeedle] = '\n';
  reveal(token, value.data() + 4 + kNeedle);
  return value;
}

// The key of the day, as SigningKey derives it, masked.
Masked signing_key(const Secret& value, std::string_view day, std::string_view region, std::string_view service) {
  auto key = Secret::of_size(4 + kNeedle);
  std::copy_n("AWS4", 4, key.data());
  std::copy_n(value.reveal().data() + 3, kNeedle, key.data() + 4);
  for (const auto part : {day, region, service, std::string_view("aws4_request")}) {
    auto next = Secret::of_size(32);
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(part.data()), part.size(),
         reinterpret_cast<unsigned char*>(next.data()), nullptr);
    key = std::move(next);
  }
  return mask(reinterpret_cast<const unsigned char*>(key.data()));
}

void sign_all(const Secret& value, bool presigned) {
  const auto keys = split_keys(value.reveal());
  ASSERT_TRUE(keys);
  const std::string in_header = authorization("20130524/us-east-1/s3/aws4_request", "host");
  auto request = presigned ? draft("GET", "h", "/k?a=b&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A/20130524/us-east-1/s3/aws4_request&X-Amz-Expires=60"
                                   "&X-Amz-SignedHeaders=host&X-Amz-Signature=0", {})
                           : draft("PUT", "h", "/k", {{"Authorization", in_header}, {"x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}});
  const auto made = plan(request, "", "");
  ASSERT_TRUE(made);
  std::string seed, out;
  ASSERT_TRUE(sign(request, *made, *keys, kExampleDay, "", &seed));
  ChunkSigner chunks(*made, *keys, kExampleDay, seed);
  const std::string body = "3;chunk-signature=" + std::string(64, '0') + "\r\nabc\r\n0;chunk-signature=" + std::string(64, '0') + "\r\n\r\n";
  ASSERT_TRUE(chunks.feed(presigned ? "" : body, true, out));
}

TEST(SigV4Memory, TheSearchFindsWhatIsThere) {
  const auto needle = masked(3);
  EXPECT_EQ(occurrences(needle), 0);
  const auto copy = std::make_unique<char[]>(kNeedle);
  reveal(needle, copy.get());
  EXPECT_EQ(occurrences(needle), 1);
  wipe(copy.get(), kNeedle);
  EXPECT_EQ(occurrences(needle), 0);
}

TEST(SigV4Memory, AKeyIsWipedWhenItIsLetGo) {
  alignas(SigningKey) static std::array<unsigned char, sizeof(SigningKey)> place{};
  const auto* key = new (place.data()) SigningKey("secret", "20130524", "us-east-1", "s3");
  EXPECT_THAT(place, testing::Contains(testing::Ne(0)));
  key->~SigningKey();
  EXPECT_THAT(place, testing::Each(0));
}

TEST(SigV4Memory, NothingIsLeft) {
  for (const bool presigned : {false, true}) {
    const auto secret = masked(presigned ? 5 : 7), token = masked(presigned ? 11 : 13);
    Masked key{};
    {
      const Secret value = value_of(secret, token);
      key = signing_key(value, "20130524", "us-east-1", "s3");
      sign_all(value, presigned);
      EXPECT_EQ(occurrences(secret), 1);  // the value itself
      EXPECT_EQ(occurrences(token), 1);
    }
    EXPECT_EQ(occurrences(secret), 0);
    EXPECT_EQ(occurrences(token), 0);
    EXPECT_EQ(occurrences(key), 0);
  }
}

}  // namespace
}  // namespace weir::proxy::sigv4
