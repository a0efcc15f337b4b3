#include "proxy/gate/secret_mask.h"

#include <gtest/gtest.h>

#include <random>

namespace weir::proxy {
namespace {

std::string masked(const SecretMask& mask, std::string text) {
  mask.mask(text);
  return text;
}

TEST(SecretMask, G2OverwritesEveryOccurrenceWithAsManyStars) {
  SecretMask mask;
  mask.add("s3cr3t-value");
  EXPECT_EQ(masked(mask, "a s3cr3t-value b s3cr3t-value"), "a ************ b ************");
}

TEST(SecretMask, LeavesTheBeginningOfASecretAlone) {
  SecretMask mask;
  mask.add("s3cr3t-value");
  EXPECT_EQ(masked(mask, "s3cr3t-valu"), "s3cr3t-valu");
}

TEST(SecretMask, TellsHowMuchOfTheEndMightBecomeASecret) {
  SecretMask mask;
  mask.add("abcabcabd");
  EXPECT_EQ(mask.incomplete("xxx"), 0U);
  EXPECT_EQ(mask.incomplete("xxxa"), 1U);
  EXPECT_EQ(mask.incomplete("xabcabcab"), 8U);
  EXPECT_EQ(mask.incomplete("xabcabcabcab"), 8U);  // overlapping beginnings
}

TEST(SecretMask, DoesNotSearchForWhatIsFoundEverywhere) {
  SecretMask mask;
  mask.add("a");
  EXPECT_FALSE(mask.active());
}

// The way exchange.cpp uses it: whatever the pieces, no secret comes through and nothing else changes.
TEST(SecretMask, G2FindsSecretsAcrossAnySplit) {
  const std::string secret = "tok_aabaabaac";
  SecretMask mask;
  mask.add(secret);
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
