// Token endpoints' answers in JSON, and which answers are read as what.
#include "proxy/credentials/token_answer.h"

#include <gmock/gmock.h>

namespace weir::proxy {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::vector<TokenPlace> kPlaces{
    {"access_token", 1, "tok-AAAA/+="}, {"refresh_token", 2, "ref-BBBB"}, {"authed_user.access_token", 3, "usr-CCCC"}};

// "id=token …|body|expires", or the error's code.
std::string caught(std::string_view type, std::string_view body, const std::vector<TokenPlace>& places = kPlaces) {
  const auto answer = catch_tokens(type, body, places);
  if (!answer) return answer.error().code;
  std::string out;
  for (const auto& token : answer->tokens) out += std::to_string(token.id) + "=" + std::string(token.token.reveal()) + " ";
  return out + "|" + std::string(answer->body.view()) + "|" + std::to_string(answer->expires_seconds);
}

std::string unchanged(std::string_view body) { return "|" + std::string(body) + "|0"; }

constexpr const char* kJson = "application/json;charset=UTF-8";
constexpr const char* kUnreadable = "token_answer_unreadable";

TEST(TokenAnswer, TakesTokensOutOfJsonAndLeavesTheRestAsItStands) {
  EXPECT_EQ(
      caught(
          kJson,
          " { \"access_token\" : \"se\\u0063\\/ret\\n\",\n\"n\":[1, 2.50],\"expires_in\":3600, \"refresh_token\":\"r\"}\n"),
      "1=sec/ret\n 2=r | { \"access_token\" : \"tok-AAAA/+=\",\n\"n\":[1, 2.50],\"expires_in\":3600, "
      "\"refresh_token\":\"ref-BBBB\"}\n|3600");
}

TEST(TokenAnswer, FindsNestedMembersAndEscapedNames) {
  EXPECT_EQ(caught(kJson, R"({"authed_user":{"id":"U1","access_token":"u"},"acc\u0065ss_token":"t"})"),
            R"(1=t 3=u |{"authed_user":{"id":"U1","access_token":"usr-CCCC"},"acc\u0065ss_token":"tok-AAAA/+="}|0)");
}

TEST(TokenAnswer, OtherPlacesAreNotTouched) {
  const char* body =
      R"({"authed_user":"access_token","x":{"access_token":"kept by nobody"},"authed_user.access_token":"no","id_token":"i"})";
  EXPECT_EQ(caught(kJson, body), unchanged(body));
}

TEST(TokenAnswer, ErrorsAndOtherAnswersPass) {
  for (const char* body :
       {R"({"error":"invalid_grant","error_description":"no such access_token"})", "{}", "[]", "null", "\"x\"", "", " \n",
        R"({"access_token":null,"refresh_token":"","authed_user":{"access_token":false}})"})
    EXPECT_EQ(caught(kJson, body), unchanged(body)) << body;
}

TEST(TokenAnswer, APlaceholderIsNoToken) {
  const char* body = R"({"access_token":"tok-AAAA\/+=","refresh_token":"r"})";
  EXPECT_EQ(caught(kJson, body), R"(2=r |{"access_token":"tok-AAAA\/+=","refresh_token":"ref-BBBB"}|0)");
}

TEST(TokenAnswer, RefusesAMemberThatStandsTwice) {
  for (const char* body : {R"({"access_token":"a","access_token":"b"})", R"({"access_token":"a","acces\u0073_token":null})",
                           R"({"authed_user":{"access_token":"a"},"authed_user":{}})",
                           R"({"authed_user":{"access_token":"a","access_token":"a"}})"})
    EXPECT_EQ(caught(kJson, body), kUnreadable) << body;
  EXPECT_EQ(caught(kJson, R"({"x":1,"x":2,"access_token":"a"})"), R"(1=a |{"x":1,"x":2,"access_token":"tok-AAAA/+="}|0)");
}

TEST(TokenAnswer, RefusesATokenThatIsNoString) {
  for (const char* body : {R"({"access_token":12})", R"({"access_token":["a"]})", R"({"access_token":{"value":"a"}})"})
    EXPECT_EQ(caught(kJson, body), kUnreadable) << body;
}

TEST(TokenAnswer, RefusesWhatSaysThatItIsJsonAndIsNot) {
  for (const char* body : {"access_token=a", "{\"access_token\":\"secret\"", "{'access_token':'a'}", "\xef\xbb\xbf{}",
                           "<html>", "{}{}", "{\"a\":\"\xff\"}"}) {
    EXPECT_EQ(caught(kJson, body), kUnreadable) << body;
    EXPECT_EQ(caught("application/vnd.x+json", body), kUnreadable) << body;
  }
  EXPECT_THAT(catch_tokens(kJson, "{\"access_token\":\"s3cret\"", kPlaces).error().message, Not(HasSubstr("s3cret")));
}

TEST(TokenAnswer, RefusesJsonInWhichATokenMayStandElsewhere) {
  EXPECT_EQ(caught(kJson, R"([{"access_token":"a"}])"), kUnreadable);
  EXPECT_EQ(caught(kJson, R"("access_token=a")"), kUnreadable);
}

TEST(TokenAnswer, AJsonObjectIsReadAsOneWhateverItSays) {
  for (const char* type : {"", "text/plain", "text/html", "application/x-www-form-urlencoded", "image/png"})
    EXPECT_EQ(caught(type, R"({"access_token":"a"})"), R"(1=a |{"access_token":"tok-AAAA/+="}|0)") << type;
}

TEST(TokenAnswer, WhatSaysNothingIsReadAsAFormWhereItIsOne) {
  for (const char* type : {"", "text/plain; charset=utf-8", "text/html"})
    EXPECT_EQ(caught(type, "access_token=a&scope=b\n"), "1=a |access_token=tok-AAAA%2F%2B%3D&scope=b\n|0") << type;
}

TEST(TokenAnswer, WhatIsNeitherPassesOnlyWithoutTheNameOfAToken) {
  for (const char* body : {"<html>sorry</html>", "Bad Request", "a=b&c=d", "\xff\x01"})
    EXPECT_EQ(caught("text/html", body), unchanged(body)) << body;
  for (const char* body : {"<access_token>a</access_token>", "access_token: a", "cb({\"access_token\":\"a\"})",
                           "x=1&my=access_token", "see access_token=a !"})
    EXPECT_EQ(caught("text/plain", body), kUnreadable) << body;
}

TEST(TokenAnswer, ReadsHowLongItServes) {
  const auto expires = [](std::string_view json) { return catch_tokens(kJson, json, kPlaces).value().expires_seconds; };
  EXPECT_EQ(expires(R"({"expires_in":3600})"), 3600);
  EXPECT_EQ(expires(R"({"expires_in":"3600"})"), 3600);
  for (const char* none : {R"({"expires_in":36.5})", R"({"expires_in":-1})", R"({"expires_in":0})", R"({"expires_in":1e3})",
                           R"({"expires_in":null})", R"({"expires_in":99999999999999999999})", R"({"expires_in":"3600s"})",
                           R"({"expires_in":""})", R"({"x":{"expires_in":1}})"})
    EXPECT_EQ(expires(none), 0) << none;
}

TEST(TokenAnswer, OneMemberMayServeTwoCredentials) {
  EXPECT_EQ(caught(kJson, R"({"access_token":"a"})", {{"access_token", 1, "p-one"}, {"access_token", 2, "p-two"}}),
            R"(1=a 2=a |{"access_token":"p-one"}|0)");
}

}  // namespace
}  // namespace weir::proxy
