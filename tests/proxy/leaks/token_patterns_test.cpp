#include "proxy/leaks/token_patterns.h"

#include <gtest/gtest.h>

#include <string>

#include "proxy/leaks/token_match.h"
#include "token_testing.h"

namespace weir::proxy::leaks {
namespace {

using testing::Chance;
using testing::kinds_in;

TEST(TokenPatterns, SayWhereATokenIs) {
  Chance chance(31);
  const auto token = "glpat-" + chance.text(20, testing::kBase62);
  std::size_t begin = 0, end = 0;
  find_tokens("PRIVATE-TOKEN: " + token + "\r\n", [&](const TokenHit& hit) {
    begin = hit.begin;
    end = hit.end;
    return true;
  });
  EXPECT_EQ(begin, 15U);
  EXPECT_EQ(end, 15U + token.size());
}

TEST(TokenPatterns, TheCheckSumOfGitHubsTokensCounts) {
  const std::string body = "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ";  // from GitHub's own account of the format; long revoked
  EXPECT_TRUE(ends_in_crc32(body + "0mLq17"));
  EXPECT_FALSE(ends_in_crc32(body + "0mLq18"));
  EXPECT_EQ(kinds_in("ghp_" + body + "0mLq17").size(), 1U);
  EXPECT_TRUE(kinds_in("ghp_" + body + "0mLq18").empty());
}

TEST(TokenPatterns, ExamplesOfDocumentationAreNone) {
  const std::string_view examples[] = {
      "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
      "aws_secret_access_key = YOUR_SECRET_ACCESS_KEY",
      "AWS_SECRET_ACCESS_KEY=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
      "export GITHUB_TOKEN=ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
      "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
      "xoxb-your-token", "xoxb-123456789012-1234567890123-XXXXXXXXXXXXXXXXXXXXXXXX",
      "sk_live_xxxxxxxxxxxxxxxxxxxxxxxx", "sk_test_4eC39HqLyjWDarjtT1zdp7dc", "sk-proj-your-key-here-with-many-words-and-letters-0123",
      "ANTHROPIC_API_KEY=sk-ant-api03-XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX-AA",
      "AIzaSyXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX", "SG.xxxxxxxxxxxxxxxxxxxxxx.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
      "npm_0123456789abcdefghijklmnopqrstuvwxyz", "hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "123456789:AAxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
      // jwt.io's example
      "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
      "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY-----\nMIIE...\n-----END RSA PRIVATE KEY-----",
      "-----BEGIN PRIVATE KEY-----\nXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX\n-----END PRIVATE KEY-----",
      "if (text.startsWith('-----BEGIN PRIVATE KEY-----')) return importKey(text, extractable, usages, someOtherArgumentThatIsVeryLongIndeed);",
      "hvs.something_like_an_identifier_in_a_program", "AccountKey=<your account key>", "dapi_documentation_of_an_interface_0123456789",
  };
  for (const auto example : examples) EXPECT_TRUE(kinds_in(example).empty()) << example << ": " << kinds_in(example)[0];
}

TEST(TokenPatterns, AnAccessKeysIdAloneIsNoSecret) {
  EXPECT_TRUE(kinds_in("AKIA2E0A8F3B244C9986 and more text").empty());
  EXPECT_TRUE(kinds_in("Credential=AKIA2E0A8F3B244C9986/20260101/eu-central-1/s3/aws4_request, Signature=fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc963176630326f1024").empty());
}

TEST(TokenPatterns, APieceOfALongerWordIsNone) {
  Chance chance(32);
  EXPECT_TRUE(kinds_in(chance.text(40, testing::kBase62) + "AIza" + chance.text(35, testing::kBase62)).empty());
  EXPECT_TRUE(kinds_in("AIza" + chance.text(60, testing::kBase62)).empty());
  EXPECT_TRUE(kinds_in("x" + std::string("hf_") + chance.text(34, testing::kBase62)).empty());
}

TEST(TokenPatterns, ATokenOfMoreThanTheUsualLengthIsOneToo) {
  Chance chance(33);
  EXPECT_EQ(kinds_in("sk-ant-api03-" + chance.text(400, testing::kUrlSafe)).size(), 1U);
  const auto jwt = "eyJhbGciOiJSUzI1NiJ9." + chance.text(9000, testing::kBase62) + "." + chance.text(86, testing::kBase62);
  EXPECT_EQ(kinds_in("Bearer " + jwt), std::vector<std::string>{"jwt"});
}

TEST(TokenPatterns, WhatIsNeededAgainIsFromTheBeginningOfWhatMayBeAToken) {
  Chance chance(34);
  EXPECT_EQ(incomplete_token("nothing."), 0U);
  EXPECT_EQ(incomplete_token("nothing. {\"a\": [1, 2]}"), 0U);
  EXPECT_EQ(incomplete_token("x gh"), 2U);
  EXPECT_EQ(incomplete_token("x ghp_abc"), 7U);
  EXPECT_EQ(incomplete_token("x ghp_abc "), 0U);
  EXPECT_EQ(incomplete_token("x sk-abcdefgh"), 11U);
  EXPECT_EQ(incomplete_token("x AWS_SECRET_ACC"), 10U);
  EXPECT_EQ(incomplete_token("-----BEGIN RSA PRIVATE KEY-----\n"), 32U);
  EXPECT_LE(incomplete_token("eyJ" + chance.text(20000, testing::kBase62)), kLongestRun);
}

TEST(TokenPatterns, RandomBytesHoldNone) {
  Chance chance(35);
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(kinds_in(chance.octets(200000)).empty());
    EXPECT_TRUE(kinds_in(chance.text(200000, testing::kBase64)).empty());
    EXPECT_TRUE(kinds_in(chance.text(200000, testing::kUrlSafe)).empty());
  }
}

}  // namespace
}  // namespace weir::proxy::leaks
