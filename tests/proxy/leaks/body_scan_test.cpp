#include "proxy/leaks/body_scan.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "leaks_testing.h"

namespace weir::proxy::leaks {
namespace {

Needles one(std::string_view text) {
  const std::array needles{Needle{.id = 3, .text = text}};
  return std::move(Needles::make(needles).value());
}

TEST(BodyScan, OfNothingPassesAllAtOnce) {
  BodyScan scan({}, "gzip");
  std::string out;
  EXPECT_TRUE(scan.feed("what is no gzip", false, out).empty());
  EXPECT_EQ(out, "what is no gzip");
  EXPECT_TRUE(scan.feed("", true, out).empty());
  EXPECT_TRUE(scan.looked_at_all());
}

TEST(BodyScan, HoldsBackOnlyWhatMayBeTheBeginningOfSomething) {
  const auto needles = one("secret-secret");
  BodyScan scan({.needles = &needles}, "");
  std::string out;
  EXPECT_TRUE(scan.feed("a secret", false, out).empty());
  EXPECT_EQ(out, "a ");
  EXPECT_TRUE(scan.feed("s. And secret-sec", false, out).empty());
  EXPECT_EQ(out, "a secrets. And ");
  const auto findings = scan.feed("ret", false, out);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_FALSE(findings[0].token);
  EXPECT_EQ(findings[0].needle, 3U);
  EXPECT_EQ(findings[0].form, Form::raw);
  EXPECT_EQ(out, "a secrets. And secret-");  // "secret" may be the beginning of the next
  EXPECT_TRUE(scan.feed("", true, out).empty());
  EXPECT_EQ(out, "a secrets. And secret-secret");
  EXPECT_TRUE(scan.looked_at_all());
}

TEST(BodyScan, WhatIsFoundIsToldOnceThoughItIsHeldBackForSomethingElse) {
  const std::array needles_of{Needle{.id = 0, .text = "abcdefgh"}, Needle{.id = 1, .text = "abcdefghijklmnop"}};
  const auto needles = std::move(Needles::make(needles_of).value());
  BodyScan scan({.needles = &needles}, "");
  std::string out;
  EXPECT_EQ(scan.feed("abcdefgh", false, out).size(), 1U);
  EXPECT_EQ(out, "");
  EXPECT_EQ(scan.feed("ijkl", false, out).size(), 0U);
  EXPECT_EQ(scan.feed("mnop", false, out).size(), 1U);
  EXPECT_EQ(scan.feed("", true, out).size(), 0U);
  EXPECT_EQ(out, "abcdefghijklmnop");
}

TEST(BodyScan, TokensAreToldByTheirKind) {
  BodyScan scan({.needles = nullptr, .tokens = true}, "identity");
  std::string out;
  testing::Chance chance(5);
  const auto findings = scan.feed("key: glpat-" + chance.text(20, testing::kBase62), true, out);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_TRUE(findings[0].token);
  EXPECT_EQ(findings[0].kind, "gitlab-token");
}

TEST(BodyScan, AnEncodingThatIsNotKnownIsNotLookedInto) {
  const auto needles = one("secret-secret");
  for (const std::string_view encoding : {"zstd", "gzip, zstd", "compress", "br, br, br, br", "gzip;q=1", "\x01"}) {
    BodyScan scan({.needles = &needles}, encoding);
    std::string out;
    EXPECT_EQ(scan.feed("secret-secret", true, out).size(), 1U) << encoding;
    EXPECT_FALSE(scan.looked_at_all()) << encoding;
  }
  for (const std::string_view encoding : {"", "identity", " identity , ,identity", ",", "IDENTITY"}) {
    BodyScan scan({.needles = &needles}, encoding);
    std::string out;
    EXPECT_EQ(scan.feed("secret-secret", true, out).size(), 1U) << encoding;
    EXPECT_TRUE(scan.looked_at_all()) << encoding;
  }
}

}  // namespace
}  // namespace weir::proxy::leaks
