// JSON that holds secrets, read in place.
#include "base/secret_json.h"

#include <gmock/gmock.h>

namespace weir {
namespace {

using testing::ElementsAre;

TEST(SecretJson, ReadsWhatIsJsonAndRefusesTheRest) {
  for (const char* good : {"{}", "[]", " {\"a\":[1,-2.5e3,true,null,\"\\u00e9\\n\"]} ", "\"\"", "0"})
    EXPECT_TRUE(SecretJson::parse(good)) << good;
  for (const char* bad : {"", "{", "{}x", "[1,]", "{\"a\"}", "{a:1}", "\"\n\"", "\"\\x\"", "\"\\u12g4\"", "01", "1.", "-",
                          "tru", "\"\xff\"", "nul"})
    EXPECT_FALSE(SecretJson::parse(bad)) << bad;
  EXPECT_FALSE(SecretJson::parse(std::string(100, '[') + std::string(100, ']')));
}

TEST(SecretJson, GivesStringsUnescapedAndOtherValuesAsTheyStand) {
  const auto json =
      SecretJson::parse(R"({"a\u0062":"x\"\\\/\b\f\n\r\t\u00e9\u20ac\ud83d\ude00\ud800","n":12,"o":{"p":[1, 2]},"n":13})");
  ASSERT_TRUE(json);
  EXPECT_EQ(json->member("ab")->text().reveal(), "x\"\\/\b\f\n\r\té€😀\xef\xbf\xbd");
  EXPECT_EQ(json->member("n")->number(), 13);
  EXPECT_EQ(json->at({"o", "p"})->text().reveal(), "[1, 2]");
  EXPECT_EQ(json->at({"o", "p"})->items().size(), 2U);
  EXPECT_FALSE(json->member("z"));
  EXPECT_THAT(json->names(), ElementsAre("ab", "n", "o", "n"));
}

TEST(SecretJson, WhatIsQuotedIsReadBackTheSame) {
  const std::string text = "a\"b\\c\n\x01\x7fé";
  EXPECT_EQ(SecretJson::parse(quoted_json(text).reveal())->text().reveal(), text);
}

}  // namespace
}  // namespace weir
