#include "proxy/leaks/needles.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>

#include "leaks_testing.h"

namespace weir::proxy::leaks {
namespace {

using testing::Chance;
using testing::hits_in;

Needles of(std::initializer_list<std::string_view> texts) {
  std::vector<Needle> needles;
  std::uint32_t id = 0;
  for (const auto text : texts) needles.push_back({.id = id++, .text = text});
  return std::move(Needles::make(needles).value());
}

bool has(const std::vector<Hit>& hits, std::uint32_t id, Form form) {
  return std::any_of(hits.begin(), hits.end(), [&](const Hit& hit) { return hit.id == id && hit.form == form; });
}

TEST(Needles, OfNothingFindNothing) {
  const Needles none;
  EXPECT_TRUE(none.empty());
  EXPECT_TRUE(hits_in(none, "anything").empty());
  EXPECT_EQ(none.incomplete("anything"), 0U);
  EXPECT_EQ(none.memory(), 0U);
  std::uint32_t id = 7;
  EXPECT_FALSE(none.find_in_name("example.com", id));
  EXPECT_TRUE(Needles::make({}).value().empty());
}

TEST(Needles, TextsThatAreTooShortAreNotSearchedFor) {
  EXPECT_TRUE(of({"", "12345"}).empty());
  EXPECT_FALSE(of({"123456"}).empty());
  EXPECT_EQ(hits_in(of({"12345", "abcdef"}), "12345 abcdef").size(), 1U);
}

TEST(Needles, SayWhereAndWhichAndInWhichForm) {
  const auto needles = of({"first-secret", "second-secret"});
  const auto hits = hits_in(needles, "x=second-secret&y=first-secret");
  ASSERT_EQ(hits.size(), 2U);
  EXPECT_EQ(hits[0].id, 1U);
  EXPECT_EQ(hits[0].begin, 2U);
  EXPECT_EQ(hits[0].end, 15U);
  EXPECT_EQ(hits[1].id, 0U);
  EXPECT_EQ(hits[1].begin, 18U);
  EXPECT_EQ(hits[1].end, 30U);
  EXPECT_EQ(hits[0].form, Form::raw);
}

TEST(Needles, StopWhenTold) {
  const auto needles = of({"secret-secret"});
  int told = 0;
  needles.find("secret-secret secret-secret", [&](const Hit&) { return ++told == 3; });
  EXPECT_EQ(told, 1);
}

TEST(Needles, FindTheSameTextOfTwoCredentialsForEach) {
  const auto hits = hits_in(of({"the-same-text", "the-same-text"}), "the-same-text");
  EXPECT_TRUE(has(hits, 0, Form::raw));
  EXPECT_TRUE(has(hits, 1, Form::raw));
}

TEST(Needles, FindTextsThatOverlapAndThatRepeat) {
  const auto hits = hits_in(of({"abababab", "bababa"}), "abababababab");
  EXPECT_EQ(std::count_if(hits.begin(), hits.end(), [](const Hit& hit) { return hit.id == 0; }), 3);
  EXPECT_EQ(std::count_if(hits.begin(), hits.end(), [](const Hit& hit) { return hit.id == 1; }), 3);
  EXPECT_TRUE(std::is_sorted(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) { return a.end < b.end; }));
}

TEST(Needles, CaseCountsWhereItIsTheTextsOwn) {
  const auto needles = of({"Secret/Text/0001"});
  EXPECT_TRUE(hits_in(needles, "secret/text/0001").empty());
  EXPECT_TRUE(hits_in(needles, "secret%2ftext%2f0001").empty());
  EXPECT_TRUE(has(hits_in(needles, "Secret%2fText%2F0001"), 0, Form::percent));
  EXPECT_TRUE(has(hits_in(needles, "5365637265742f546578742F30303031"), 0, Form::hex));
  // U+0010 differs from '0' in the bit that case has.
  EXPECT_TRUE(hits_in(needles, "Secret%2\x06Text%2f0001").empty());
  EXPECT_TRUE(hits_in(needles, "5365637265742f546578742F3030303\x11").empty());
}

TEST(Needles, FindWhatEncodersWriteThatEscapeMoreOrLessThanOthers) {
  const auto needles = of({"pass word/\"ä€𝄞<1>\n$"});
  const std::pair<std::string_view, Form> cases[] = {
      {"pass+word%2F%22%C3%A4%E2%82%AC%F0%9D%84%9E%3C1%3E%0A%24", Form::percent},      // a form
      {"pass%20word/%22%c3%a4%e2%82%ac%f0%9d%84%9e%3c1%3e%0a%24", Form::percent},      // a path
      {"pass%20word/%22%C3%A4%E2%82%AC%F0%9D%84%9E%3C1%3E%0A$", Form::percent},        // encodeURI
      {"pass word/\\\"ä€𝄞<1>\\n$", Form::json},
      {"pass word\\/\\\"\\u00e4\\u20AC\\ud834\\uDD1e<1>\\n$", Form::json},              // '/' and what is not ASCII
      {"pass word/\\\"ä€𝄞\\u003c1\\u003e\\n$", Form::json},                            // what HTML would read
      {"pass word/\\\\\\\"ä€𝄞<1>\\\\n$", Form::json},                                  // JSON in JSON
  };
  for (const auto& [bytes, form] : cases) EXPECT_TRUE(has(hits_in(needles, bytes), 0, form)) << bytes;
}

TEST(Needles, AFormOfBase64ShorterThanEightIsNotSearchedFor) {
  const auto needles = of({"abcdef"});
  EXPECT_TRUE(has(hits_in(needles, base64_encode("abcdef")), 0, Form::base64));
  // Behind one octet only 6 whole characters are the text's.
  EXPECT_TRUE(hits_in(needles, base64_encode("xabcdef")).empty());
}

TEST(Needles, RawAloneWhereNoOtherFormIsWanted) {
  const std::array needles{Needle{.id = 4, .text = "placeholder/0001", .other_forms = false}};
  const auto made = std::move(Needles::make(needles).value());
  EXPECT_EQ(hits_in(made, "placeholder/0001").size(), 1U);
  EXPECT_TRUE(hits_in(made, base64_encode("placeholder/0001")).empty());
  EXPECT_TRUE(hits_in(made, "placeholder%2F0001").empty());
}

TEST(Needles, BasicCredentialsAreFoundBehindTheirUsersName) {
  const auto needles = of({"ghp_0123456789secret"});
  for (const std::string user : {"x", "me", "bot", "x-access-token"})
    EXPECT_TRUE(has(hits_in(needles, "Authorization: Basic " + base64_encode(user + ":ghp_0123456789secret")), 0, Form::base64)) << user;
}

std::string key_of(std::size_t lines, std::string_view line_end, Chance chance) {
  std::string text = "-----BEGIN PRIVATE KEY-----" + std::string(line_end);
  for (std::size_t i = 0; i < lines; ++i) text += chance.text(64, testing::kBase64) + std::string(line_end);
  return text + "-----END PRIVATE KEY-----" + std::string(line_end);
}

TEST(Needles, APrivateKeyIsFoundWithOtherLineEndsAndInPart) {
  const auto key = key_of(26, "\n", Chance(1));
  const auto needles = of({key});
  for (const std::string_view line_end : {"\n", "\r\n", "\\n", "\\\\n", "%0A", "", " "}) EXPECT_FALSE(hits_in(needles, key_of(26, line_end, Chance(1))).empty()) << line_end;
  EXPECT_FALSE(hits_in(needles, key.substr(1300)).empty());
  EXPECT_FALSE(hits_in(needles, base64_encode("x" + key)).empty());
  // The first half of a long key is the certificate's too.
  EXPECT_TRUE(hits_in(needles, key.substr(0, 700)).empty());
  const auto escaped = of({key_of(26, "\\n", Chance(1))});
  EXPECT_FALSE(hits_in(escaped, key.substr(1300)).empty());
}

TEST(Needles, IncompleteIsWhatTheNextPieceCouldComplete) {
  const auto needles = of({"secret-secret"});
  EXPECT_EQ(needles.incomplete(""), 0U);
  EXPECT_EQ(needles.incomplete("nothing of it."), 0U);
  EXPECT_EQ(needles.incomplete("a secret-secre"), 12U);
  EXPECT_EQ(needles.incomplete("a secret-secret"), 6U);  // it may begin anew in the middle
  EXPECT_EQ(needles.incomplete("s"), 1U);
  EXPECT_EQ(needles.incomplete("S"), 0U);
}

TEST(Needles, TooMuchIsRefused) {
  const std::string large(17 << 20, 'x');
  const std::array needles{Needle{.id = 0, .text = large}};
  const auto made = Needles::make(needles);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, "too_many_needles");
}

}  // namespace
}  // namespace weir::proxy::leaks
