#include <gtest/gtest.h>

#include <cctype>

#include "policy/canonical.h"

namespace weir::policy {
namespace {

struct Case {
  std::string in, wire, decoded;
};

TEST(CanonicalPath, GivesOneFormToSendAndOneToMatch) {
  const Case cases[] = {
      {"/", "/", "/"},
      {"/a/b", "/a/b", "/a/b"},
      {"/a/b/", "/a/b/", "/a/b/"},
      {"/%61%2D%5f%7E", "/a-_~", "/a-_~"},  // unreserved octets are never escaped
      {"/a%3fb", "/a%3Fb", "/a?b"},         // reserved ones stay, in upper case
      {"/a%20b", "/a%20b", "/a b"},
      {"/a b", "/a%20b", "/a b"},
      {"/gr%c3%bc%C3%9fe", "/gr%C3%BC%C3%9Fe", "/grüße"},
      {"/grüße", "/gr%C3%BC%C3%9Fe", "/grüße"},
      {"/a/./b", "/a/b", "/a/b"},
      {"/a/../b", "/b", "/b"},
      {"/a/%2e%2E/b", "/b", "/b"},
      {"/a/.%2e/b", "/b", "/b"},
      {"/a/b/..", "/a/", "/a/"},
      {"/a/b/.", "/a/b/", "/a/b/"},
      {"/a/..", "/", "/"},
      {"/...", "/...", "/..."},
      {"/a..b/..c/d..", "/a..b/..c/d..", "/a..b/..c/d.."},
      {"/models/x:generate;v=1,2@3!$&'()*+=", "/models/x:generate;v=1,2@3!$&'()*+=", "/models/x:generate;v=1,2@3!$&'()*+="},
      {"/100%25", "/100%25", "/100%"},
      {"/a%25zz", "/a%25zz", "/a%zz"},
      {"/a\"<>^`{|}", "/a%22%3C%3E%5E%60%7B%7C%7D", "/a\"<>^`{|}"},
  };
  for (const auto& c : cases) {
    const auto path = canonical_path(c.in);
    EXPECT_EQ(path.wire, c.wire) << c.in;
    EXPECT_EQ(path.decoded, c.decoded) << c.in;
    EXPECT_FALSE(path.ambiguous) << c.in;
    EXPECT_FALSE(path.encoded_slash) << c.in;
    EXPECT_EQ(canonical_path(path.wire), path) << "not stable: " << c.in;
  }
}

TEST(CanonicalPath, KeepsAnEncodedSlashApart) {
  for (const char* in : {"/@scope%2Fname", "/@scope%2fname"}) {
    const auto path = canonical_path(in);
    EXPECT_EQ(path.wire, "/@scope%2Fname");
    EXPECT_EQ(path.decoded, "/@scope%2Fname");
    EXPECT_TRUE(path.encoded_slash);
    EXPECT_FALSE(path.ambiguous);
  }
}

TEST(CanonicalPath, MarksWhatTwoServersCouldReadDifferently) {
  const std::string cases[] = {
      "//a",
      "/a//b",
      "//",
      "/a//",  // empty segments
      "/..",
      "/../a",
      "/a/../../b",
      "/%2e%2e/a",
      "/a/..%2f../b",  // climbing out
      "/a/..;/b",
      "/a/..;x=1/b",
      "/a/.;/b",
      "/a/%2e%2e;/b",
      "/a/..%3B/b",
      "/a/..%3b/b",
      "/a\\b",
      "/a%5Cb",
      "/a%5c..%5cb",
      "/a%00",
      "/a%0a",
      "/a%0D",
      "/a%1f",
      "/a%7F",
      std::string("/a\0b", 4),
      "/a\tb",
      "/a\x7f",
      "/a%",
      "/a%2",
      "/a%zz",
      "/a%2x",
      "/%",
      "/a%ff",
      "/a%c0%af",
      "/a%c3",
      "/%e0%80%af",
      "/%ed%a0%80",
      "/%f4%90%80%80",
      "/a\xff",
      "/a%252e",
      "/a%252fb",
      "/a%25%32%65",
      "/%25%32%46",
      "/a%25252e",
      "/%2541",
      "/a%2F../b",
      "/a%2F..",
      "/..%2Fa",
      "/.%2Fa",
      "/a%2F%2Fb",
      "/%2Fetc",
      "/a%2F",
      "/a/..;%2Fb",
      "/a?b",
      "/a#b",
      "",
      "a",
      "*",
      "http://x/a",
  };
  for (const auto& in : cases) EXPECT_TRUE(canonical_path(in).ambiguous) << in;
}

TEST(CanonicalPath, NeverSendsWhatIsNotAPath) {
  for (int first = 0; first < 256; ++first)
    for (const char* rest : {"", "%", "2f", "..", "/../.."}) {
      const auto path = canonical_path(std::string("/") + static_cast<char>(first) + rest);
      ASSERT_TRUE(path.wire.starts_with('/'));
      for (std::size_t i = 0; i < path.wire.size(); ++i) {
        const auto c = static_cast<unsigned char>(path.wire[i]);
        ASSERT_TRUE(c > 0x20 && c < 0x7f &&
                    std::string_view("\"#<>?[\\]^`{|}").find(static_cast<char>(c)) == std::string_view::npos)
            << first << rest;
        if (c == '%') {
          ASSERT_TRUE(i + 2 < path.wire.size() && std::isxdigit(path.wire[i + 1]) && std::isxdigit(path.wire[i + 2]))
              << first << rest;
        }
      }
    }
}

TEST(CanonicalPath, DoesNotCleanUpWhatIsAmbiguous) {
  EXPECT_EQ(canonical_path("/../a").wire, "/../a");
  EXPECT_EQ(canonical_path("/a//b").wire, "/a//b");
  EXPECT_EQ(canonical_path("/a%zz").wire, "/a%25zz");
}

}  // namespace
}  // namespace weir::policy
