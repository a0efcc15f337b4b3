#include <gtest/gtest.h>

#include <random>

#include "tests/proxy/http1/http1_testing.h"

namespace weir::proxy {
namespace {

using std::string_literals::operator""s;

constexpr BodyLength kChunked{BodyLength::Kind::chunked, 0};
constexpr BodyLength kUntilClose{BodyLength::Kind::until_close, 0};

TEST(FixedBody, EndsAfterItsBytes) {
  const BodyLength five{BodyLength::Kind::fixed, 5};
  EXPECT_EQ(decode_at_once(five, "hello"), (Decoded{"hello", "", "done", {}}));
  EXPECT_EQ(decode_at_once(five, "helloGET /"), (Decoded{"hello", "GET /", "done", {}}));
  EXPECT_EQ(decode_at_once(five, "hell").code, "more");
}

TEST(FixedBody, OfNothingIsDoneAtOnce) {
  EXPECT_EQ(decode_pieces({BodyLength::Kind::fixed, 0}, {}).code, "done");
  EXPECT_EQ(decode_pieces({}, {}).code, "done");
  EXPECT_EQ(decode_at_once({}, "GET /"), (Decoded{"", "GET /", "done", {}}));
}

TEST(FixedBody, CutShortIsNotAProperEnd) {
  BodyDecoder decoder({BodyLength::Kind::fixed, 5});
  ASSERT_TRUE(decoder.decode("hell"));
  EXPECT_FALSE(decoder.finish());
}

TEST(FixedBody, PayloadIsAViewOfTheInput) {
  BodyDecoder decoder({BodyLength::Kind::fixed, 5});
  const std::string input = "hello";
  const auto step = decoder.decode(input);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->payload.data(), input.data());
  EXPECT_TRUE(step->done);
}

TEST(BodyUntilClose, EndsWithTheConnection) {
  BodyDecoder decoder(kUntilClose);
  const auto step = decoder.decode("hello");
  ASSERT_TRUE(step);
  EXPECT_EQ(step->payload, "hello");
  EXPECT_FALSE(step->done);
  EXPECT_TRUE(decoder.finish());
}

TEST(ChunkedBody, GivesItsDataAndLeavesWhatFollows) {
  EXPECT_EQ(decode_at_once(kChunked, "5\r\nhello\r\n1\r\n \r\nA\r\n0123456789\r\n0\r\n\r\nGET /"),
            (Decoded{"hello 0123456789", "GET /", "done", {}}));
  EXPECT_EQ(decode_at_once(kChunked, "0\r\n\r\n"), (Decoded{"", "", "done", {}}));
  EXPECT_EQ(decode_at_once(kChunked, "000\r\n\r\n").code, "done");
  EXPECT_EQ(decode_at_once(kChunked, "0000000000000005\r\nhello\r\n0\r\n\r\n").payload, "hello");
  EXPECT_EQ(decode_at_once(kChunked, "aB\r\n" + std::string(0xAB, 'x') + "\r\n0\r\n\r\n").payload, std::string(0xAB, 'x'));
}

TEST(ChunkedBody, DropsExtensions) {
  for (const char* extension : {";", ";a", ";a=b", "; a = \"b;\\\" c\"", ";a;b=c", ";\t"})
    EXPECT_EQ(decode_at_once(kChunked, "5"s + extension + "\r\nhello\r\n0" + extension + "\r\n\r\n"),
              (Decoded{"hello", "", "done", {}}))
        << extension;
}

TEST(ChunkedBody, CutShortIsNotAProperEnd) {
  const std::string_view whole = "5\r\nhello\r\n0\r\nA: b\r\n\r\n";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    BodyDecoder decoder(kChunked);
    std::string_view input = whole.substr(0, size);
    while (!input.empty()) {
      const auto step = decoder.decode(input);
      ASSERT_TRUE(step);
      input.remove_prefix(step->consumed);
    }
    EXPECT_FALSE(decoder.finish()) << size;
  }
}

class BadChunk : public testing::TestWithParam<std::string> {};

TEST_P(BadChunk, IsRefusedHoweverItArrives) {
  const std::string& text = GetParam();
  for (std::size_t size = 1; size <= text.size(); ++size)
    EXPECT_EQ(decode_pieces(kChunked, cut(text, size)).code, "bad_chunk") << text << " by " << size;
}

INSTANTIATE_TEST_SUITE_P(Every, BadChunk,
                         testing::Values("\r\n", "\n", " 5\r\n", "5 \r\n", "5\t\r\n", "5 ;a\r\n", "+5\r\n", "-5\r\n",
                                         "0x5\r\n", "5,5\r\n", "g\r\n", ";a\r\n", "5\n", "5\nhello\n0\n\n", "5;a\nhello\r\n",
                                         "5\r\r\n", "5\rhello", "5;a\rb\r\n", "5;\x01\r\n", "5;\0\r\n"s, "5\0\r\n"s,
                                         "5\r\nhello\n0\r\n\r\n", "5\r\nhello0\r\n\r\n", "5\r\nhello\r0\r\n",
                                         "5\r\nhello \r\n", "5\r\nhello!\r\n0\r\n\r\n", "00000000000000005\r\nhello\r\n",
                                         "10000000000000005\r\nhello\r\n", "ffffffffffffffff\r\n", "8000000000000000\r\n",
                                         "5\r\nhello\r\n\r\n0\r\n\r\n", "\xd9\xa5\r\n",
                                         "5;" + std::string(1025, 'a') + "\r\n"));

TEST(ChunkedBody, LimitsOneExtensionAndAllThatDataDoesNotOutweigh) {
  EXPECT_EQ(decode_at_once(kChunked, "0;" + std::string(1024, 'a') + "\r\n\r\n").code, "done");
  std::string many;
  for (int chunk = 0; chunk < 40; ++chunk) many += "1;" + std::string(1000, 'a') + "\r\nx\r\n";
  EXPECT_EQ(decode_at_once(kChunked, many).code, "bad_chunk");
  std::string fair;
  for (int chunk = 0; chunk < 40; ++chunk)
    fair += "3e8;" + std::string(1000, 'a') + "\r\n" + std::string(1000, 'x') + "\r\n";
  EXPECT_EQ(decode_at_once(kChunked, fair + "0\r\n\r\n").code, "done");
}

TEST(ChunkedBody, KeepsRefusingAfterAnError) {
  BodyDecoder decoder(kChunked);
  ASSERT_FALSE(decoder.decode("x"));
  for (const char* input : {"5\r\nhello\r\n", "0\r\n\r\n", ""}) {
    const auto step = decoder.decode(input);
    ASSERT_FALSE(step);
    EXPECT_EQ(step.error().code, "bad_chunk");
  }
  EXPECT_FALSE(decoder.finish());
}

TEST(Trailers, AreGivenWhenDone) {
  const auto decoded = decode_at_once(kChunked, "1\r\nx\r\n0\r\nA: b\r\nX-Sum:  1 2 \r\n\r\nrest");
  EXPECT_EQ(decoded, (Decoded{"x", "rest", "done", {{"A", "b"}, {"X-Sum", "1 2"}}}));
}

TEST(Trailers, ThatFrameOrRouteAreRefused) {
  for (const char* line : {"Content-Length: 5", "content-length: 0", "Transfer-Encoding: chunked", "HOST: a",
                           "Connection: close", "Upgrade: x", "Trailer: x", "TE: x"})
    EXPECT_EQ(decode_at_once(kChunked, "0\r\n"s + line + "\r\n\r\n").code, "bad_trailer") << line;
}

TEST(Trailers, ThatComeTooLateAreDropped) {
  for (const char* line : {"Authorization: x", "Cookie: a=b", "set-cookie: a=b", "Content-Type: x", "Content-Encoding: gzip",
                           "Content-Range: x", "Cache-Control: x", "Expect: x", "X-Api-Key: y"})
    EXPECT_EQ(decode_at_once(kChunked, "0\r\n"s + line + "\r\nA: b\r\n\r\n"), (Decoded{"", "", "done", {{"A", "b"}}}))
        << line;
}

TEST(Trailers, AreCheckedLikeHeaders) {
  for (const auto& lines :
       {"A : b\r\n\r\n"s, " A: b\r\n\r\n"s, "A: b\r\n c\r\n\r\n"s, "A\r\n\r\n"s, ": b\r\n\r\n"s, "A: b\n\r\n"s,
        "A: b\rC: d\r\n\r\n"s, "A: \0\r\n\r\n"s, "A: \x01\r\n\r\n"s, "\n"s, "A: b\r\n\n"s, "\rX\r\n"s})
    for (std::size_t size = 1; size <= lines.size() + 3; ++size)
      EXPECT_EQ(decode_pieces(kChunked, cut("0\r\n" + lines, size)).code, "bad_trailer") << lines << " by " << size;
}

TEST(Trailers, AreLimitedInNumberAndSize) {
  std::string many = "0\r\n";
  for (int field = 0; field < 64; ++field) many += "A: b\r\n";
  EXPECT_EQ(decode_at_once(kChunked, many + "\r\n").code, "done");
  EXPECT_EQ(decode_at_once(kChunked, many + "A: b\r\n\r\n").code, "trailers_too_large");
  for (const auto& text : {"0\r\nA: " + std::string(20'000, 'b') + "\r\n\r\n", "0\r\nA: " + std::string(20'000, 'b'),
                           "0\r\nA: " + std::string(9'000, 'b') + "\r\nA: " + std::string(9'000, 'b') + "\r\n\r\n"}) {
    EXPECT_EQ(decode_at_once(kChunked, text).code, "trailers_too_large");
    EXPECT_EQ(decode_pieces(kChunked, cut(text, 1)).code, "trailers_too_large");
  }
}

// Valid bodies with random damage: cut in any way, they give the same.
TEST(ChunkedBody, GivesTheSameHoweverItIsCut) {
  std::mt19937 random(7);
  const auto up_to = [&](std::size_t most) { return std::uniform_int_distribution<std::size_t>(0, most)(random); };
  const std::string_view bytes = "\r\n;0123456789abcdefx :\t";
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (auto chunks = up_to(4); chunks > 0; --chunks) {
      const std::string data(1 + up_to(20), 'd');
      append_chunk_prefix(text, data.size());
      if (up_to(3) == 0) text.insert(text.size() - 2, ";x=y");
      text += data + "\r\n";
    }
    append_last_chunk(text, up_to(1) == 0 ? std::vector<std::pair<std::string, std::string>>{{"A", "b"}}
                                          : std::vector<std::pair<std::string, std::string>>{});
    text += "NEXT";
    if (up_to(1) == 0) text[up_to(text.size() - 1)] = bytes[up_to(bytes.size() - 1)];
    if (up_to(3) == 0) text.erase(up_to(text.size() - 1), 1);
    const Decoded whole = decode_at_once(kChunked, text);
    Decoded bytewise = decode_pieces(kChunked, cut(text, 1));
    std::vector<std::string_view> pieces;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t size = 1 + up_to(9);
      pieces.push_back(std::string_view(text).substr(at, size));
      at += size;
    }
    Decoded random_cut = decode_pieces(kChunked, pieces);
    ASSERT_EQ(whole, bytewise) << text;
    ASSERT_EQ(whole, random_cut) << text;
  }
}

}  // namespace
}  // namespace weir::proxy
