// Placeholders in bodies, piece by piece.
#include <gmock/gmock.h>

#include "proxy/credentials/substitution.h"
#include "tests/proxy/credentials/credentials_testing.h"

namespace weir::proxy {
namespace {

using namespace test;
using testing::ElementsAre;

constexpr std::string_view kFirst = "sk_live_Ab3dEf5hIj7lMn9p", kSecond = "tok-~/+=.Qw3rTy5uIo7pAs9d";

std::vector<Replacement> both(std::string_view first = "one", std::string_view second = "a/\"b\\c\nd") {
  return {{1, kFirst, first, &kEverywhere}, {2, kSecond, second, &kEverywhere}};
}

std::string replaced(BodyKind kind, std::string_view text, std::vector<Replacement> replacements = both()) {
  BodySubstitution body(kind, replacements);
  WipedText out;
  const auto result = body.feed(text, true, out);
  return result ? std::string(out.view()) : result.error().code;
}

// What each piece let go on.
std::vector<std::string> fed(BodyKind kind, std::initializer_list<std::string_view> pieces) {
  const auto replacements = both();
  BodySubstitution body(kind, replacements);
  std::vector<std::string> outs;
  for (const auto piece : pieces) {
    WipedText out;
    EXPECT_TRUE(body.feed(piece, outs.size() + 1 == pieces.size(), out));
    outs.emplace_back(out.view());
  }
  return outs;
}

TEST(BodyKinds, AreReadFromTheHeaders) {
  struct Row {
    const char *type, *encoding;
    BodyKind kind;
  };
  for (const auto& row : std::initializer_list<Row>{{"application/json", "", BodyKind::json},
                                                    {" Application/JSON ; charset=utf-8", "identity", BodyKind::json},
                                                    {"application/vnd.api+json", "", BodyKind::json},
                                                    {"application/x-ndjson", "", BodyKind::json},
                                                    {"application/x-www-form-urlencoded; charset=UTF-8", "", BodyKind::form},
                                                    {"multipart/form-data; boundary=x", "", BodyKind::text},
                                                    {"text/plain", "", BodyKind::text},
                                                    {"text/xml", "", BodyKind::text},
                                                    {"application/xml", "", BodyKind::text},
                                                    {"application/soap+xml", "", BodyKind::text},
                                                    {"application/graphql", " ", BodyKind::text},
                                                    {"application/octet-stream", "", BodyKind::other},
                                                    {"image/png", "", BodyKind::other},
                                                    {"", "", BodyKind::other},
                                                    {"application/jsonx", "", BodyKind::other},
                                                    {"application/json", "gzip", BodyKind::other},
                                                    {"text/plain", "identity, br", BodyKind::other}})
    EXPECT_EQ(body_kind(row.type, row.encoding), row.kind) << row.type << " " << row.encoding;
}

TEST(BodySubstitution, ReplacesInTextAsItStands) {
  EXPECT_EQ(replaced(BodyKind::text, "a sk_live_Ab3dEf5hIj7lMn9p b tok-~/+=.Qw3rTy5uIo7pAs9d"), "a one b a/\"b\\c\nd");
  EXPECT_EQ(replaced(BodyKind::text, "tok-~%2F%2B%3D.Qw3rTy5uIo7pAs9d tok-~\\/+=.Qw3rTy5uIo7pAs9d"),
            "tok-~%2F%2B%3D.Qw3rTy5uIo7pAs9d tok-~\\/+=.Qw3rTy5uIo7pAs9d");
}

TEST(BodySubstitution, ReplacesInJsonEscaped) {
  const std::string value = R"(a/\"b\\c\u000ad)";
  for (const char* written :
       {"tok-~/+=.Qw3rTy5uIo7pAs9d", R"(tok-~\/+=.Qw3rTy5uIo7pAs9d)", R"(tok-~\u002f\u002B\u003d.Qw3rTy5uIo7pAs9d)",
        R"(\u0074\u006F\u006b-~\u002F+=.Qw3rTy5uIo7pAs9\u0064)"})
    EXPECT_EQ(replaced(BodyKind::json, std::string("{\"k\":\"") + written + "\"}"), "{\"k\":\"" + value + "\"}") << written;
}

TEST(BodySubstitution, ReadsJsonEscapesAsTheyPair) {
  for (const char* text :
       {R"("\\u0073k_live_Ab3dEf5hIj7lMn9p")", R"("\u0173k_live_Ab3dEf5hIj7lMn9p")", R"("\u073k_live_Ab3dEf5hIj7lMn9p")"})
    EXPECT_EQ(replaced(BodyKind::json, text), text);
  EXPECT_EQ(replaced(BodyKind::json, R"("\\\u0073k_live_Ab3dEf5hIj7lMn9p")"), R"("\\one")");
  EXPECT_EQ(replaced(BodyKind::json, R"("\\sk_live_Ab3dEf5hIj7lMn9p")"), R"("\\one")");
}

TEST(BodySubstitution, ReplacesInFormsPercentEncoded) {
  for (const char* written :
       {"tok-~/+=.Qw3rTy5uIo7pAs9d", "tok-~%2F%2b%3D.Qw3rTy5uIo7pAs9d", "%74%6f%6B-~%2f+=.Qw3rTy5uIo7pAs9%64"})
    EXPECT_EQ(replaced(BodyKind::form, std::string("a=1&k=") + written + "&z=2"), "a=1&k=a%2F%22b%5Cc%0Ad&z=2") << written;
}

TEST(BodySubstitution, LeavesOtherBodiesAlone) {
  EXPECT_EQ(replaced(BodyKind::other, kFirst), kFirst);
  const auto header_only = places(true);
  std::vector<Replacement> elsewhere{{1, kFirst, "one", &header_only}};
  EXPECT_EQ(replaced(BodyKind::text, kFirst, elsewhere), kFirst);
  EXPECT_FALSE(BodySubstitution(BodyKind::text, elsewhere).looks());
  EXPECT_FALSE(BodySubstitution(BodyKind::other, both()).looks());
  EXPECT_TRUE(BodySubstitution(BodyKind::text, both()).looks());
}

TEST(BodySubstitution, HoldsBackJustWhatMayBeTheStart) {
  EXPECT_THAT(fed(BodyKind::text, {"x sk_li", "ve_Ab3dEf5hIj7lMn9p y", ""}), ElementsAre("x ", "one y", ""));
  EXPECT_THAT(fed(BodyKind::text, {"x sk_li", "on", ""}), ElementsAre("x ", "sk_lion", ""));
  EXPECT_THAT(fed(BodyKind::text, {"x\\", "%", "t", "o", "p", ""}), ElementsAre("x\\", "%", "", "", "top", ""));
  EXPECT_THAT(fed(BodyKind::text, {"s", "s", "k", ""}), ElementsAre("", "s", "", "sk"));
  EXPECT_THAT(fed(BodyKind::json, {"x\\", "n\\u", "007", "4o", "k", ""}), ElementsAre("x", "\\n", "", "", "", "\\u0074ok"));
  EXPECT_THAT(fed(BodyKind::form, {"100%", "2", "0%7", "4op"}), ElementsAre("100", "%2", "0", "%74op"));
}

// The digits of an escape that cannot be a placeholder's, in the next piece, do not begin one.
TEST(BodySubstitution, RemembersAnEscapeInWhichAPieceEnded) {
  const std::vector<Replacement> replacements{{1, "ab12cd34ef56", "one", &kEverywhere}};
  const auto all = [&](BodyKind kind, std::initializer_list<std::string_view> pieces) {
    BodySubstitution body(kind, replacements);
    WipedText out;
    std::size_t at = 0;
    for (const auto piece : pieces) EXPECT_TRUE(body.feed(piece, ++at == pieces.size(), out));
    return std::string(out.view());
  };
  EXPECT_EQ(all(BodyKind::json, {"\\u1", "ab12cd34ef56"}), "\\u1ab12cd34ef56");
  EXPECT_EQ(all(BodyKind::json, {"\\u123", "4", "ab12cd34ef56"}), "\\u1234one");
  EXPECT_EQ(all(BodyKind::form, {"%2", "ab12cd34ef56"}), "%2ab12cd34ef56");
  EXPECT_EQ(all(BodyKind::form, {"%2", "x", "ab12cd34ef56"}), "%2xone");
  EXPECT_EQ(all(BodyKind::text, {"%2", "ab12cd34ef56"}), "%2one");
}

TEST(BodySubstitution, HoldsNoMoreThanAPlaceholderEscaped) {
  const auto replacements = both();
  BodySubstitution body(BodyKind::json, replacements);
  WipedText out;
  std::string fed_text;
  std::size_t most = 0;
  for (int i = 0; i < 4000; ++i) {
    const std::string piece = i % 7 == 0 ? "\\u0073k_live_" : i % 7 == 3 ? "\\u0074ok-\\u00" : "\\u0073";
    fed_text += piece;
    ASSERT_TRUE(body.feed(piece, false, out));
    most = std::max(most, fed_text.size() - out.size());
  }
  EXPECT_LE(most, 6 * kSecond.size());
  ASSERT_TRUE(body.feed("", true, out));
  EXPECT_EQ(out.view(), fed_text);
}

TEST(BodySubstitution, TakesTheLongestOfThoseThatBeginAtOnePlace) {
  const std::vector<Replacement> replacements{
      {1, "abcabc", "1", &kEverywhere}, {2, "abcabcabc", "2", &kEverywhere}, {3, "cabcab", "3", &kEverywhere}};
  EXPECT_EQ(replaced(BodyKind::text, "xabcabcabcx", replacements), "x2x");
  EXPECT_EQ(replaced(BodyKind::text, "xabcabcabx", replacements), "x1abx");
  EXPECT_EQ(replaced(BodyKind::text, "xcabcabcabcx", replacements), "x3cabcx");
  EXPECT_EQ(replaced(BodyKind::text, "abcabcabcabcabc", replacements), "21");
}

TEST(BodySubstitution, BeginsAnewAfterTheLast) {
  const auto replacements = both();
  BodySubstitution body(BodyKind::json, replacements);
  WipedText out;
  ASSERT_TRUE(body.feed("\"sk_live_Ab3dEf\\u1", true, out));
  ASSERT_TRUE(body.feed("5hIj7lMn9p", true, out));
  ASSERT_TRUE(body.feed(kFirst, true, out));
  EXPECT_EQ(out.view(), "\"sk_live_Ab3dEf\\u15hIj7lMn9pone");
  EXPECT_EQ(body.replaced(), 1U);
}

TEST(BodySubstitution, RefusesAValueThatCannotStandThere) {
  EXPECT_EQ(replaced(BodyKind::json, kFirst, both("\xff")), "credential_unusable");
  EXPECT_EQ(replaced(BodyKind::text, kFirst, both("\xff")), "\xff");
  for (const auto kind : {BodyKind::json, BodyKind::form, BodyKind::text})
    EXPECT_EQ(replaced(kind, kFirst, both("")), "credential_unusable");
  EXPECT_EQ(replaced(BodyKind::json, "nothing", both("\xff", "")), "nothing");
}

TEST(BodySubstitution, GoesOnWhenItIsMoved) {
  const auto replacements = both();
  BodySubstitution body(BodyKind::text, replacements);
  WipedText out;
  ASSERT_TRUE(body.feed("x sk_live_Ab3", false, out));
  BodySubstitution moved = std::move(body);
  ASSERT_TRUE(moved.feed("dEf5hIj7lMn9p", true, out));
  EXPECT_EQ(out.view(), "x one");
}

}  // namespace
}  // namespace weir::proxy
