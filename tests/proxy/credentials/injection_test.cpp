// A credential put into a header, Basic or the query: one value, and it is weir's.
#include "proxy/credentials/injection.h"

#include <gmock/gmock.h>

#include "tests/proxy/credentials/credentials_testing.h"

namespace weir::proxy {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string query_after(std::string_view query, std::string_view name, std::string_view secret = "v",
                        std::string format = "{secret}") {
  const auto kind = injection(Kind::query, std::string(name), std::move(format));
  DraftRequest draft;
  draft.query = query;
  EXPECT_TRUE(inject(kind, secret, draft));
  EXPECT_TRUE(draft.has_query);
  return std::string(draft.query);
}

TEST(InjectHeader, PutsTheValueInPlaceOfAllFieldsOfThatName) {
  const auto kind = injection(Kind::header, "X-Api-Key", "Key {secret}");
  DraftRequest draft;
  draft.headers = {{"Accept", "*/*"}, {"x-api-key", "theirs"}, {"X-Other", "1"}, {"X-API-KEY", "again"}};
  ASSERT_TRUE(inject(kind, "s3cret", draft));
  EXPECT_THAT(lines(draft), ElementsAre("Accept: */*", "X-Other: 1", "X-Api-Key: Key s3cret"));
}

TEST(InjectHeader, TakesOutWhatAServerMightTakeForThatName) {
  const auto kind = injection(Kind::header, "X-Api-Key");
  DraftRequest draft;
  draft.headers = {{"X_Api_Key", "theirs"}, {"x-api_key", "theirs"}, {"XApiKey", "1"}, {"X-Api-Key2", "2"}};
  ASSERT_TRUE(inject(kind, "v", draft));
  EXPECT_THAT(lines(draft), ElementsAre("XApiKey: 1", "X-Api-Key2: 2", "X-Api-Key: v"));
}

TEST(InjectHeader, FillsEachMark) {
  const auto kind = injection(Kind::header, "A", "{secret}:{secret}{secret};{secre}");
  DraftRequest draft;
  ASSERT_TRUE(inject(kind, "v", draft));
  EXPECT_THAT(lines(draft), ElementsAre("A: v:vv;{secre}"));
}

TEST(InjectHeader, ASecretThatHasTheMarkInItIsNotFilledAgain) {
  const auto kind = injection(Kind::header, "A", "{secret}!");
  DraftRequest draft;
  ASSERT_TRUE(inject(kind, "{secret}", draft));
  EXPECT_THAT(lines(draft), ElementsAre("A: {secret}!"));
}

TEST(InjectHeader, RefusesWhatCannotStandThereAndLeavesTheDraftAsItWas) {
  const auto kind = injection(Kind::header, "A");
  for (const std::string& bad : std::vector<std::string>{"", "a\r\nB: c", "a\n", "\ra", std::string("a\0b", 3), "a\x7f",
                                                         "a\x01", " a", "a ", "a\t"}) {
    DraftRequest draft;
    draft.headers = {{"A", "theirs"}};
    const auto result = inject(kind, bad, draft);
    ASSERT_FALSE(result) << bad;
    EXPECT_EQ(result.error().code, "credential_unusable");
    if (bad.size() > 2) {
      EXPECT_THAT(result.error().message, Not(HasSubstr(bad)));
    }
    EXPECT_THAT(lines(draft), ElementsAre("A: theirs"));
  }
}

TEST(InjectHeader, LetsBlanksInsideAndOctetsBeyondAsciiStand) {
  const auto kind = injection(Kind::header, "A");
  for (const char* good : {"a b", "a\tb", "caf\xc3\xa9", "\xff"}) {
    DraftRequest draft;
    ASSERT_TRUE(inject(kind, good, draft)) << good;
    EXPECT_EQ(draft.headers.at(0).value, good);
  }
}

TEST(InjectBasic, EncodesUsernameAndPassword) {
  const auto kind = injection(Kind::basic, "", "{secret}", "x-access-token");
  DraftRequest draft;
  draft.headers = {{"AUTHORIZATION", "Bearer theirs"}, {"authorization", "x"}, {"Proxy-Authorization", "stays"}};
  ASSERT_TRUE(inject(kind, "s3cret:with:colons", draft));
  EXPECT_THAT(lines(draft),
              ElementsAre("Proxy-Authorization: stays", "Authorization: " + basic("x-access-token:s3cret:with:colons")));
}

TEST(InjectBasic, UsernamesAreUtf8AndMayBeEmpty) {
  for (const char* username : {"", "Jos\xc3\xa9", "a b"})
    for (const char* format : {"{secret}", "p{secret}q", ""}) {
      const auto kind = injection(Kind::basic, "", format, username);
      DraftRequest draft;
      ASSERT_TRUE(inject(kind, "\xe2\x82\xac", draft));
      const std::string password = *format == 'p' ? "p\xe2\x82\xacq" : "\xe2\x82\xac";
      EXPECT_EQ(draft.headers.at(0).value, basic(username + (":" + password)));
    }
}

TEST(InjectBasic, RefusesControlsAndAColonInTheUsername) {
  DraftRequest draft;
  for (const char* bad : {"a\nb", "a\tb", "a\x7f", ""})
    EXPECT_FALSE(inject(injection(Kind::basic, "", "{secret}", "u"), bad, draft)) << bad;
  EXPECT_FALSE(inject(injection(Kind::basic, "", "{secret}", "u:v"), "p", draft));
  EXPECT_FALSE(inject(injection(Kind::basic, "", "{secret}", "u\n"), "p", draft));
  EXPECT_TRUE(draft.headers.empty());
}

TEST(InjectQuery, AppendsTheParameter) {
  EXPECT_EQ(query_after("", "key"), "key=v");
  EXPECT_EQ(query_after("a=1&b=2", "key"), "a=1&b=2&key=v");
  EXPECT_EQ(query_after("a=1", "key", "v", ""), "a=1&key=v");
}

TEST(InjectQuery, TakesOutEveryParameterOfThatNameHoweverItIsWritten) {
  for (const char* query :
       {"key=x", "a=1&key=x", "key=x&a=1", "k%65y=x&a=1", "%6b%65%79=x&a=1", "%6B%65%79=x&a=1", "a=1&key",
        "a=1&key=", "key=x&key=y&a=1&key=z", "a=1;key=x", "key=x;a=1", "a=1&KEY=x", "a=1&%4bey=x", "a=1&key=x=y"})
    EXPECT_EQ(query_after(query, "key"), std::string(query).find('a') == std::string::npos ? "key=v" : "a=1&key=v") << query;
}

TEST(InjectQuery, LeavesOthersAsTheyStand) {
  for (const char* query :
       {"", "keys=1", "k=key", "a=key=1", "ke%zzy=1", "key%=1", "%=1", "a%2Fb=%7e&&c", "&", "key%20=1", "=key", "a;b;c=1"}) {
    const std::string all = query;
    EXPECT_EQ(query_after(query, "key"), all + (all.empty() ? "" : "&") + "key=v") << query;
  }
}

TEST(InjectQuery, APlusIsASpaceAndItself) {
  EXPECT_EQ(query_after("a+b=1&a%20b=2&a%2bb=3&c=4", "a b"), "a%2bb=3&c=4&a%20b=v");
  EXPECT_EQ(query_after("a+b=1&a%20b=2&a%2bb=3&c=4", "a+b"), "a%20b=2&c=4&a%2Bb=v");
}

TEST(InjectQuery, EncodesNameAndValueSoThatTheyStayOneParameter) {
  EXPECT_EQ(query_after("", "k&=[", "a&b=c;d#e/f+g%h \xc3\xa9~", "v1.{secret}"),
            "k%26%3D%5B=v1.a%26b%3Dc%3Bd%23e%2Ff%2Bg%25h%20%C3%A9~");
}

TEST(InjectQuery, RefusesAnEmptyValue) {
  DraftRequest draft;
  draft.query = "key=theirs";
  EXPECT_EQ(inject(injection(Kind::query, "key"), "", draft).error().code, "credential_unusable");
}

TEST(Inject, OtherKindsChangeNothing) {
  for (const auto kind : {Kind::none, Kind::client_certificate, Kind::aws_sigv4}) {
    DraftRequest draft;
    draft.headers = {{"Authorization", "theirs"}};
    ASSERT_TRUE(inject(injection(kind, ""), "v", draft));
    EXPECT_THAT(lines(draft), ElementsAre("Authorization: theirs"));
  }
}

TEST(TakesThePlaceOf, HeadersOfTheKind) {
  const auto takes = [](Kind kind, std::string_view header, bool trailer = false) {
    return takes_the_place_of(injection(kind, "X-Key"), header, trailer);
  };
  EXPECT_TRUE(takes(Kind::header, "x-key"));
  EXPECT_TRUE(takes(Kind::header, "X_KEY", true));
  EXPECT_FALSE(takes(Kind::header, "authorization"));
  EXPECT_TRUE(takes(Kind::basic, "AUTHORIZATION"));
  EXPECT_TRUE(takes(Kind::aws_sigv4, "authorization"));
  for (const char* name : {"x-amz-date", "X-Amz-Security-Token", "x-amz-content-sha256"}) {
    EXPECT_TRUE(takes(Kind::aws_sigv4, name, true)) << name;
    EXPECT_FALSE(takes(Kind::aws_sigv4, name)) << name;
    EXPECT_FALSE(takes(Kind::basic, name, true)) << name;
  }
  EXPECT_TRUE(takes(Kind::cookie, "Cookie", true));
  EXPECT_FALSE(takes(Kind::cookie, "Cookie"));
  for (const auto kind :
       {Kind::none, Kind::header, Kind::basic, Kind::query, Kind::cookie, Kind::client_certificate, Kind::aws_sigv4})
    for (const bool trailer : {false, true}) {
      EXPECT_FALSE(takes(kind, "proxy-authorization", trailer));
      EXPECT_FALSE(takes(kind, "x-other", trailer));
    }
}

TEST(PlaceOf, SaysWhereItGoes) {
  policy::Credential credential;
  const auto place = [&](Kind kind, std::string name) {
    credential.inject = injection(kind, std::move(name));
    return place_of(credential);
  };
  EXPECT_EQ(place(Kind::header, "Authorization"), "header Authorization");
  EXPECT_EQ(place(Kind::basic, ""), "basic");
  EXPECT_EQ(place(Kind::query, "key"), "query key");
  EXPECT_EQ(place(Kind::cookie, "sid"), "cookie sid");
  EXPECT_EQ(place(Kind::client_certificate, ""), "client certificate");
  EXPECT_EQ(place(Kind::aws_sigv4, ""), "aws signature");
  EXPECT_EQ(place(Kind::none, ""), "");
  credential.substitute.shape = "x{random:16}";
  EXPECT_EQ(place(Kind::none, ""), "placeholder");
}

}  // namespace
}  // namespace weir::proxy
