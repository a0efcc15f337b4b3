#include <gtest/gtest.h>

#include "policy/body.h"

namespace weir::policy {
namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

TEST(Query, TakesNamesAndValuesApartAndDecodesThem) {
  const auto query = parse_query("service=git-upload-pack&q=a+b%20c%2B&q=%C3%BC&empty=&bare&a=b=c");
  EXPECT_TRUE(query.sound);
  EXPECT_EQ(
      query.parameters,
      (Parameters{{"service", "git-upload-pack"}, {"q", "a b c+"}, {"q", "ü"}, {"empty", ""}, {"bare", ""}, {"a", "b=c"}}));
}

TEST(Query, DecodesNamesToo) {
  EXPECT_EQ(parse_query("%71uer%79=1").parameters, (Parameters{{"query", "1"}}));
  EXPECT_EQ(parse_query("a%26b=1%3D").parameters, (Parameters{{"a&b", "1="}}));
}

TEST(Query, PassesOverEmptyPieces) {
  EXPECT_EQ(parse_query("&&a=1&&b=2&").parameters, (Parameters{{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(parse_query(""), QueryParameters{});
}

TEST(Query, TakesAnEscapedSemicolonForWhatItIs) {
  EXPECT_TRUE(parse_query("a=1%3Bb=2").sound);
  EXPECT_EQ(parse_query("a=1%3Bb=2").parameters, (Parameters{{"a", "1;b=2"}}));
}

TEST(Query, IsNotSoundWhenItCanBeReadInMoreThanOneWay) {
  for (const std::string query :
       {"a=1;b=2", "a=%",      "a=%4",        "a=%zz",       "%g0=1",          "a=%u0041", "a=%00", "%00=1",
        "a=%ff",   "a=%c0%af", "a=%e0%80%af", "a=%ed%a0%80", "a=%f5%80%80%80", "a=%c3",    "a=1#b", "a=1 2",
        "a=1\t",   "a=\x7f",   "a=\xff",      "a;b"})
    EXPECT_FALSE(parse_query(query).sound) << query;
}

}  // namespace
}  // namespace weir::policy
