#include <gtest/gtest.h>

#include "proxy/http1/decoder.h"

namespace weir::proxy {
namespace {

std::string find(std::string_view text, HeadLimits limits = {}) {
  std::size_t scanned = 0;
  const auto size = find_head(text, limits, scanned);
  return size ? std::to_string(*size) : size.error().code;
}

// The same with the bytes arriving one by one; stops at the first answer.
std::string find_bytewise(std::string_view text, HeadLimits limits = {}) {
  std::size_t scanned = 0;
  for (std::size_t size = 1; size <= text.size(); ++size) {
    const auto found = find_head(text.substr(0, size), limits, scanned);
    if (!found) return found.error().code;
    if (*found != 0) return std::to_string(*found);
  }
  return "0";
}

TEST(FindHead, MeasuresTheHeadUpToItsEmptyLine) {
  EXPECT_EQ(find("GET / HTTP/1.1\r\nHost: a\r\n\r\nbody"), "27");
  EXPECT_EQ(find("X\r\n\r\n"), "5");
}

TEST(FindHead, WaitsForWhatIsMissing) {
  const std::string_view head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (std::size_t size = 0; size < head.size(); ++size) EXPECT_EQ(find(head.substr(0, size)), "0") << size;
}

TEST(FindHead, SkipsTwoEmptyLinesBeforeARequestAndNoMore) {
  EXPECT_EQ(find("\r\nGET / HTTP/1.1\r\n\r\n"), "20");
  EXPECT_EQ(find("\r\n\r\nGET / HTTP/1.1\r\n\r\n"), "22");
  EXPECT_EQ(find("\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n"), "bad_request_line");
  EXPECT_EQ(find("\r\n\r\n"), "0");
}

TEST(FindHead, RefusesOtherLineEndingsAsSoonAsTheyAreSeen) {
  using std::string_view_literals::operator""sv;
  for (const auto text :
       {"GET / HTTP/1.1\n"sv, "GET / HTTP/1.1\r\nHost: a\n"sv, "\n"sv, "\r\n\n"sv, "GET\rX"sv, "GET / HTTP/1.1\r\r\n"sv,
        "\rG"sv, "GET / HTTP/1.1\r\nHost: a\r\n\n"sv, "GET / HTTP/1.1\r\nHost: a\r\n\rX"sv, "G\0"sv,
        "GET / HTTP/1.1\r\nHost: a\0b"sv, "GET /0123456789012345678901234567890123456789\n"sv})
    EXPECT_EQ(find(text), "bad_line_ending") << text;
}

TEST(FindHead, LooksNotBeyondTheHead) { EXPECT_EQ(find("X\r\n\r\n\n\r\r"), "5"); }

TEST(FindHead, RefusesAHeadLargerThanTheLimit) {
  const HeadLimits limits{32, 10};
  const std::string fits = std::string(28, 'a') + "\r\n\r\n";
  EXPECT_EQ(find(fits, limits), "32");
  EXPECT_EQ(find("a" + fits, limits), "head_too_large");
  EXPECT_EQ(find(std::string(32, 'a'), limits), "0");
  EXPECT_EQ(find(std::string(33, 'a'), limits), "head_too_large");
  EXPECT_EQ(find(fits + std::string(1000, 'b'), limits), "32");
}

TEST(FindHead, SaysTheSameHoweverTheBytesArrive) {
  const HeadLimits limits{40, 10};
  const std::string_view alphabet[] = {
      "\r", "\n", "\r\n", "\r\n\r\n", "a", ": ", std::string_view("\0", 1), "\t", "\x1f", "0123456789abcdef", "\xff"};
  std::uint32_t seed = 1;
  const auto next = [&] { return seed = seed * 1664525U + 1013904223U, seed >> 16U; };
  for (int round = 0; round < 200'000; ++round) {
    std::string text;
    for (auto parts = next() % 9; parts > 0; --parts) text += alphabet[next() % std::size(alphabet)];
    const std::string at_once = find(text, limits);
    const std::string bytewise = find_bytewise(text, limits);
    ASSERT_EQ(at_once, bytewise) << testing::PrintToString(text);
  }
}

TEST(FindHead, ScansEachByteOnce) {
  // Otherwise a head that drips in costs its square.
  const std::string text(60'000, 'a');
  std::size_t scanned = 0;
  ASSERT_TRUE(find_head(text, {}, scanned).has_value());
  EXPECT_EQ(scanned, text.size());
}

}  // namespace
}  // namespace weir::proxy
