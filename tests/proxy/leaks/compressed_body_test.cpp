#include <brotli/encode.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <string>

#include "leaks_testing.h"
#include "proxy/leaks/body_scan.h"

namespace weir::proxy::leaks {
namespace {

using testing::Chance;

// 15: zlib, 31: gzip, -15: raw (zlib.h).
std::string deflated(std::string_view text, int bits, int level = 6) {
  z_stream stream{};
  deflateInit2(&stream, level, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}
std::string gzip(std::string_view text) { return deflated(text, 31); }

std::string brotli(std::string_view text) {
  std::string out(BrotliEncoderMaxCompressedSize(text.size()) + 64, '\0');
  std::size_t size = out.size();
  BrotliEncoderCompress(5, 22, BROTLI_MODE_GENERIC, text.size(), reinterpret_cast<const std::uint8_t*>(text.data()), &size, reinterpret_cast<std::uint8_t*>(out.data()));
  out.resize(size);
  return out;
}

constexpr std::string_view kSecret = "a-secret-of-some-length-0001";

const Needles& needles() {
  static const Needles made = [] {
    const std::array list{Needle{.id = 1, .text = kSecret}};
    return std::move(Needles::make(list).value());
  }();
  return made;
}

struct Scanned {
  std::size_t found = 0;
  bool all = false;
  std::string out;
  std::size_t gone_before = 0;  // what had been given out when it was found
};

Scanned scan(std::string_view body, std::string_view encoding, std::size_t piece = SIZE_MAX, std::uint64_t limit = 64 << 20) {
  BodyScan scan({.needles = &needles(), .tokens = true, .decoded_limit = limit}, encoding);
  Scanned scanned;
  for (std::size_t at = 0; at < body.size();) {
    const std::size_t size = std::min(piece, body.size() - at), gone = scanned.out.size();
    const auto findings = scan.feed(body.substr(at, size), at + size == body.size(), scanned.out);
    at += size;
    if (scanned.found == 0 && !findings.empty()) scanned.gone_before = gone;
    scanned.found += findings.size();
  }
  scanned.all = scan.looked_at_all();
  return scanned;
}

std::string with_secret(std::size_t before, std::size_t after, Chance& chance) {
  return chance.text(before, "etaoin shrdlu") + std::string(kSecret) + chance.text(after, "etaoin shrdlu");
}

TEST(CompressedBody, ASecretIsFoundInEachCodingWhereverItIsCut) {
  Chance chance(41);
  for (const std::size_t before : {0U, 10U, 70000U}) {
    const auto text = with_secret(before, 500, chance);
    const std::pair<std::string, std::string_view> bodies[] = {
        {gzip(text), "gzip"},           {gzip(text), "x-gzip"},         {deflated(text, 15), "deflate"},   {deflated(text, -15), "deflate"},
        {deflated(text, 31, 0), "gzip"}, {brotli(text), "br"},           {gzip(brotli(text)), "br, gzip"},  {brotli(gzip(text)), "GZip,BR"},
        {deflated(deflated(gzip(text), 15), -15), "gzip, deflate, deflate"}, {gzip("first member") + gzip(text), "gzip"}};
    for (const auto& [body, encoding] : bodies)
      for (const std::size_t piece : {std::size_t{1}, std::size_t{13}, std::size_t{5000}, SIZE_MAX}) {
        const auto scanned = scan(body, encoding, piece);
        // A body that is stored is found as it is, too.
        EXPECT_GE(scanned.found, 1U) << encoding << " " << piece;
        EXPECT_TRUE(scanned.all) << encoding << " " << piece;
        EXPECT_EQ(scanned.out, body) << encoding << " " << piece;
      }
  }
}

TEST(CompressedBody, NothingOfASecretHasGoneWhenItIsFound) {
  Chance chance(42);
  for (int round = 0; round < 20; ++round) {
    const std::size_t before = chance.between(0, 20000);
    const auto text = chance.text(before, testing::kBase62) + std::string(kSecret) + chance.text(300, testing::kBase62);
    for (const bool is_gzip : {true, false}) {
      const auto body = is_gzip ? gzip(text) : brotli(text);
      const auto scanned = scan(body, is_gzip ? "gzip" : "br", chance.between(1, 900));
      ASSERT_EQ(scanned.found, 1U);
      // What had gone is decoded: it ends before the secret begins.
      BodyScan reader({.needles = &needles()}, "");
      std::string gone = body.substr(0, scanned.gone_before), decoded(text.size() + 100, '\0');
      std::size_t size = 0;
      if (is_gzip) {
        z_stream stream{};
        inflateInit2(&stream, 31);
        stream.next_in = reinterpret_cast<Bytef*>(gone.data());
        stream.avail_in = static_cast<uInt>(gone.size());
        stream.next_out = reinterpret_cast<Bytef*>(decoded.data());
        stream.avail_out = static_cast<uInt>(decoded.size());
        inflate(&stream, Z_SYNC_FLUSH);
        size = stream.total_out;
        inflateEnd(&stream);
        ASSERT_LE(size, before);
      }
    }
  }
}

TEST(CompressedBody, WhatIsBrokenOrCutShortOrTooLongIsToldToBeNotLookedInto) {
  Chance chance(43);
  const auto text = with_secret(2000, 2000, chance);
  const auto body = gzip(text);
  EXPECT_FALSE(scan(body.substr(0, body.size() - 1), "gzip").all);
  EXPECT_FALSE(scan("no gzip at all", "gzip").all);
  EXPECT_FALSE(scan("no brotli at all", "br").all);
  EXPECT_FALSE(scan("neither zlib nor deflate\xff", "deflate").all);
  EXPECT_FALSE(scan(body + "what follows", "gzip").all);
  EXPECT_FALSE(scan(deflated(text, 15) + "x", "deflate").all);
  EXPECT_FALSE(scan(brotli(text) + "x", "br").all);
  EXPECT_FALSE(scan(body, "gzip", SIZE_MAX, 100).all);
  EXPECT_EQ(scan(body, "gzip", SIZE_MAX, 100).found, 0U);
  EXPECT_TRUE(scan(body, "gzip", SIZE_MAX, text.size()).all);
  auto flipped = body;
  flipped[body.size() / 2] = static_cast<char>(flipped[body.size() / 2] ^ 0x55);
  EXPECT_FALSE(scan(flipped, "gzip").all);
  for (const auto* const encoding : {"gzip", "br", "deflate"}) {
    EXPECT_EQ(scan(text, encoding).found, 1U) << "in a body that is not what it says";
    EXPECT_TRUE(scan("", encoding).all);
  }
}

TEST(CompressedBody, ABombIsBounded) {
  const std::string zeros(80 << 20, '\0');
  const auto once = gzip(zeros), twice = gzip(once);
  for (const auto& [body, encoding] : {std::pair{once, "gzip"}, std::pair{twice, "gzip, gzip"}, std::pair{brotli(zeros), "br"}}) {
    const auto scanned = scan(body, encoding);
    EXPECT_FALSE(scanned.all);
    EXPECT_EQ(scanned.out, body);
  }
}

}  // namespace
}  // namespace weir::proxy::leaks
