// Chunks that are signed anew, against the worked example of the S3 API reference.
#include <gmock/gmock.h>

#include <random>

#include "tests/proxy/sigv4/testing.h"

namespace weir::proxy::sigv4 {
namespace {

using namespace test;
using testing::HasSubstr;

const std::string kNone(64, '0');
constexpr std::string_view kSeed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";

Plan streaming(Plan::Payload payload) {
  Plan plan;
  plan.region = "us-east-1";
  plan.service = "s3";
  plan.payload = payload;
  return plan;
}
ChunkSigner signer(Plan::Payload payload = Plan::Payload::chunks_signed) { return {streaming(payload), kExampleKeys, kExampleDay, std::string(kSeed)}; }

std::string chunk(std::string_view size, std::string_view data, std::string_view signature = kNone) {
  std::string out(size);
  return out.append(";chunk-signature=").append(signature).append("\r\n").append(data).append("\r\n");
}

struct Got {
  std::string out, error;
  bool operator==(const Got&) const = default;
};
Got feed(ChunkSigner to, std::string_view body, std::size_t piece, bool last = true) {
  Got got;
  for (std::size_t at = 0; at < body.size(); at += piece)
    if (auto fed = to.feed(body.substr(at, piece), false, got.out); !fed) return {got.out, fed.error().code};
  if (last)
    if (auto fed = to.feed("", true, got.out); !fed) got.error = fed.error().code;
  return got;
}
Got with_trailer(std::string_view body) { return feed(signer(Plan::Payload::chunks_signed_trailer), body, body.size()); }

TEST(ChunkSigner, ExampleOfTheS3Reference) {
  const std::string data(66560, 'a');
  const std::string in = chunk("10000", data.substr(0, 65536)) + chunk("400", data.substr(65536)) + chunk("0", "");
  const std::string want = chunk("10000", data.substr(0, 65536), "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648") +
                           chunk("400", data.substr(65536), "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497") +
                           chunk("0", "", "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9");
  for (const std::size_t piece : {std::size_t{1000}, in.size(), std::size_t{65623}, std::size_t{7}}) EXPECT_EQ(feed(signer(), in, piece), (Got{want, ""})) << piece;
}

TEST(ChunkSigner, AChunkGoesOnWhenItIsWhole) {
  auto to = signer();
  std::string out;
  const auto whole = chunk("3", "abc");
  ASSERT_TRUE(to.feed(std::string_view(whole).substr(0, whole.size() - 1), false, out));
  EXPECT_EQ(out, "");
  ASSERT_TRUE(to.feed("\n", false, out));
  EXPECT_EQ(out.size(), whole.size());
}

TEST(ChunkSigner, KeepsHowASizeIsWritten) {
  EXPECT_THAT(feed(signer(), chunk("00A", "0123456789") + chunk("000", ""), 5).out, testing::StartsWith("00A;chunk-signature="));
}

TEST(ChunkSigner, EachSignatureHangsOnTheOneBefore) {
  const auto one = feed(signer(), chunk("1", "a") + chunk("1", "b") + chunk("0", ""), 999).out, other = feed(signer(), chunk("1", "x") + chunk("1", "b") + chunk("0", ""), 999).out;
  const auto size = chunk("1", "a").size();
  EXPECT_NE(one.substr(size, size), other.substr(size, size));
  EXPECT_EQ(one.size(), 3 * size - 1);
}

TEST(ChunkSigner, BadChunks) {
  const std::string last = chunk("0", "");
  for (const std::string& body :
       {std::string("x"), std::string(), chunk("1", "a"), chunk("", "") + last, chunk("g", "a") + last, chunk("-1", "a") + last, chunk("1", "ab") + last, chunk("3", "ab") + last,
        chunk("1", "a", kNone.substr(1)) + last, chunk("1", "a", kNone + "0") + last, chunk("1", "a", std::string(64, 'g')) + last, "1\r\na\r\n" + last,
        "1;chunk-signature=" + kNone + ";more=1\r\na\r\n" + last, "1;other=" + kNone + "\r\na\r\n" + last, "1;chunk-signature=" + kNone + "\na\r\n" + last, last + "x", last + last,
        last.substr(0, last.size() - 1), "0;chunk-signature=" + kNone + "\r\nx-amz-checksum-crc32:x\r\n\r\n", std::string(200, '1'), chunk("00000000000000001", "a") + last})
    EXPECT_EQ(feed(signer(), body, 999).error, "chunk_malformed") << body;
}

TEST(ChunkSigner, AChunkMayNotBeTooLarge) {
  EXPECT_EQ(feed(signer(), chunk("1000001", ""), 999).error, "chunk_too_large");
  EXPECT_EQ(feed(signer(), chunk("ffffffffffffffff", ""), 999).error, "chunk_too_large");
  const std::string data(ChunkSigner::kLongestChunk, 'x');
  EXPECT_EQ(feed(signer(), chunk("1000000", data) + chunk("0", ""), 1 << 20).error, "");
}

TEST(ChunkSigner, NothingGoesOnAfterAnError) {
  auto to = signer();
  std::string out;
  EXPECT_FALSE(to.feed("x\r\n", false, out));
  EXPECT_FALSE(to.feed(chunk("0", ""), true, out));
  EXPECT_EQ(out, "");
}

TEST(ChunkSigner, SignsATrailer) {
  const std::string head = chunk("3", "abc") + "0;chunk-signature=" + kNone + "\r\n";
  const std::string body = head + "x-amz-checksum-crc32:NSRBwg==\r\nx-amz-trailer-signature:" + kNone + "\r\n\r\n";
  const auto got = with_trailer(body);
  EXPECT_EQ(got.error, "");
  EXPECT_EQ(got.out.size(), body.size());
  EXPECT_THAT(got.out, HasSubstr("\r\nx-amz-checksum-crc32:NSRBwg==\r\nx-amz-trailer-signature:"));
  EXPECT_THAT(got.out, testing::Not(HasSubstr(kNone)));
  for (const std::size_t piece : {1U, 2U, 3U, 50U}) EXPECT_EQ(feed(signer(Plan::Payload::chunks_signed_trailer), body, piece), got);
  // Blanks and letter case do not count, and neither does the line feed that AWS's own example has at the end of a trailer.
  const auto signature = got.out.substr(got.out.size() - 68);
  for (const std::string_view other : {"X-Amz-Checksum-CRC32: NSRBwg== \r\n", "x-amz-checksum-crc32:NSRBwg==\n\r\n"}) {
    const auto again = with_trailer(head + std::string(other) + "X-Amz-Trailer-Signature:" + kNone + "\r\n\r\n");
    EXPECT_EQ(again.error, "");
    EXPECT_EQ(again.out.substr(again.out.size() - 68), signature);
    EXPECT_THAT(again.out, HasSubstr(std::string(other)));
  }
  EXPECT_NE(with_trailer(head + "x-amz-checksum-crc32:other\r\nx-amz-trailer-signature:" + kNone + "\r\n\r\n").out.substr(got.out.size() - 66), signature);
}

TEST(ChunkSigner, TrailersAreSignedInTheOrderOfTheirNames) {
  const std::string head = "0;chunk-signature=" + kNone + "\r\n", end = "x-amz-trailer-signature:" + kNone + "\r\n\r\n";
  const auto one = with_trailer(head + "a:1\r\nb:2\r\n" + end), other = with_trailer(head + "b:2\r\na:1\r\n" + end);
  EXPECT_EQ(one.error + other.error, "");
  EXPECT_EQ(one.out.substr(one.out.size() - 68), other.out.substr(other.out.size() - 68));
}

TEST(ChunkSigner, BadTrailers) {
  const std::string head = "0;chunk-signature=" + kNone + "\r\n", end = "x-amz-trailer-signature:" + kNone + "\r\n\r\n";
  EXPECT_EQ(with_trailer(head + end).error, "");
  for (const std::string& trailer :
       {std::string(), std::string("\r\n"), std::string("a:b\r\n\r\n"), "a\r\n" + end, ":b\r\n" + end, "\r\n" + end, end + "x", "x-amz-trailer-signature:" + kNone + "\r\na:b\r\n\r\n",
        "x-amz-trailer-signature:" + kNone + "\n\r\n\r\n", "x-amz-trailer-signature:" + kNone.substr(1) + "\r\n\r\n", "x-amz-trailer-signature:" + kNone + "\r\n" + end,
        "x-amz-trailer-signature:" + kNone + "\r\n", "a:" + std::string(20000, 'b') + "\r\n" + end, "a:" + std::string(20000, 'b')})
    EXPECT_EQ(with_trailer(head + trailer).error, "chunk_malformed") << trailer;
}

TEST(ChunkSigner, OtherPayloadsGoOnAsTheyCome) {
  for (const auto payload : {Plan::Payload::chunks_unsigned_trailer, Plan::Payload::hash_given, Plan::Payload::unsigned_payload})
    EXPECT_EQ(feed(signer(payload), "3\r\nabc\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\r\n\r\n", 4), (Got{"3\r\nabc\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\r\n\r\n", ""}));
}

TEST(ChunkSigner, AnyPiecesGiveTheSame) {
  std::mt19937 random(20260105);
  for (int round = 0; round < 200; ++round) {
    std::string body;
    for (auto count = random() % 6; count > 0; --count) {
      std::string data(random() % 300, '\0');
      for (auto& c : data) c = static_cast<char>(random());
      if (data.empty()) continue;
      char size[32];
      std::snprintf(size, sizeof size, "%zx", data.size());
      body += chunk(size, data);
    }
    body += chunk("0", "");
    // Some of them are no longer whole.
    if (round % 4 == 3) body[random() % body.size()] ^= static_cast<char>(1U << random() % 8);
    const auto whole = feed(signer(), body, body.size());
    if (whole.error.empty()) {
      EXPECT_EQ(whole.out.size(), body.size());
    }
    auto to = signer();
    Got got;
    for (std::size_t at = 0; at < body.size() && got.error.empty();) {
      const auto size = 1 + random() % 90;
      if (auto fed = to.feed(std::string_view(body).substr(at, size), false, got.out); !fed) got.error = fed.error().code;
      at += size;
    }
    if (got.error.empty())
      if (auto fed = to.feed("", true, got.out); !fed) got.error = fed.error().code;
    EXPECT_EQ(got, whole) << round;
  }
}

}  // namespace
}  // namespace weir::proxy::sigv4
