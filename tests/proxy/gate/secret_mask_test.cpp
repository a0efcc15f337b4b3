#include "proxy/gate/secret_mask.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>

namespace weir::proxy {
namespace {

SecretMask mask_of(std::string_view secret) {
  const leaks::Needle needle{0, secret};
  auto needles = leaks::Needles::make({&needle, 1});
  EXPECT_TRUE(needles) << needles.error().message;
  SecretMask mask;
  mask.look_for(std::make_shared<const leaks::Needles>(std::move(*needles)));
  return mask;
}

std::string masked(const SecretMask& mask, std::string text) {
  mask.mask(text);
  return text;
}

TEST(SecretMask, G2OverwritesEveryOccurrenceWithAsManyStars) {
  const SecretMask mask = mask_of("s3cr3t-value");
  EXPECT_EQ(masked(mask, "a s3cr3t-value b s3cr3t-value"), "a ************ b ************");
}

TEST(SecretMask, G2OverwritesWhatIsEncoded) {
  const SecretMask mask = mask_of("s3cr3t-value");
  EXPECT_EQ(masked(mask, "hex 7333637233742d76616c7565."), "hex ************************.");
  EXPECT_EQ(masked(mask, "basic czNjcjN0LXZhbHVl"), "basic ****************");
}

TEST(SecretMask, LetsPlaceholdersThrough) {
  const leaks::Needle needles[] = {{0, "s3cr3t-value"}, {1, "placeholder-0123"}};
  SecretMask mask;
  mask.look_for(std::make_shared<const leaks::Needles>(*leaks::Needles::make(needles)));
  EXPECT_EQ(masked(mask, "placeholder-0123 s3cr3t-value"), "placeholder-0123 ************");
}

TEST(SecretMask, LeavesTheBeginningOfASecretAlone) {
  const SecretMask mask = mask_of("s3cr3t-value");
  EXPECT_EQ(masked(mask, "s3cr3t-valu"), "s3cr3t-valu");
}

TEST(SecretMask, TellsHowMuchOfTheEndMightBecomeASecret) {
  const SecretMask mask = mask_of("abcabcabd");
  EXPECT_EQ(mask.incomplete("xxx"), 0U);
  EXPECT_EQ(mask.incomplete("xxxa"), 1U);
  EXPECT_EQ(mask.incomplete("xabcabcab"), 8U);
  EXPECT_EQ(mask.incomplete("xabcabcabcab"), 8U);  // overlapping beginnings
}

TEST(SecretMask, DoesNotSearchForWhatIsFoundEverywhere) {
  const SecretMask mask = mask_of("a");
  EXPECT_FALSE(mask.active());
}

// The way exchange.cpp uses it: whatever the pieces, no secret comes through and nothing else changes.
TEST(SecretMask, G2FindsSecretsAcrossAnySplit) {
  const std::string secret = "tok_aabaabaac";
  const SecretMask mask = mask_of(secret);
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (int i = 0; i < 6; ++i) {
      text += std::string(random() % 4, "ab_t"[random() % 4]);
      text += random() % 2 == 0 ? secret : secret.substr(0, random() % secret.size());
    }
    std::string expected = text;
    mask.mask(expected);
    std::string got;
    std::string carry;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t size = std::min<std::size_t>(1 + random() % 9, text.size() - at);
      std::string piece = carry + text.substr(at, size);
      at += size;
      mask.mask(piece);
      const std::size_t held = at < text.size() ? mask.incomplete(piece) : 0;
      carry = piece.substr(piece.size() - held);
      got += piece.substr(0, piece.size() - held);
    }
    ASSERT_EQ(got, expected);
    ASSERT_EQ(got.find(secret), std::string::npos);
  }
}

}  // namespace
}  // namespace weir::proxy
