// A credential as a cookie: the client's own of that name are gone, the others stay.
#include "proxy/credentials/cookies.h"

#include <gmock/gmock.h>

#include "proxy/credentials/injection.h"
#include "tests/proxy/credentials/credentials_testing.h"

namespace weir::proxy {
namespace {

using namespace test;
using testing::ElementsAre;

std::string cookie_after(std::initializer_list<std::string_view> fields, std::string_view secret = "v") {
  static const auto kind = injection(Kind::cookie, "sid");
  DraftRequest draft;
  for (const auto field : fields) draft.headers.push_back({"cookie", field});
  EXPECT_TRUE(inject(kind, secret, draft));
  EXPECT_EQ(draft.headers.size(), 1U);
  return std::string(draft.headers.at(0).value);
}

TEST(InjectCookie, AddsItWhereThereWereNone) { EXPECT_EQ(cookie_after({}), "sid=v"); }

TEST(InjectCookie, LeavesTheOthersInTheirOrder) {
  EXPECT_EQ(cookie_after({"a=1; b=\"2\"; c=x=y; d"}), "sid=v; a=1; b=\"2\"; c=x=y; d");
  EXPECT_EQ(cookie_after({"sids=1; xsid=2; a=sid=3; b=sid"}), "sid=v; sids=1; xsid=2; a=sid=3; b=sid");
}

TEST(InjectCookie, TakesOutEveryOneOfThatName) {
  for (const char* field : {"sid=x; a=1", "a=1; sid=x", "sid=x;a=1;sid=y", "a=1;sid", "a=1; sid =x", "a=1;\tsid\t= x",
                            "SID=x; a=1", "sid=;a=1", "; ;sid=x; a=1;", "sid=\"x\"; a=1", "sid=a b; a=1"})
    EXPECT_EQ(cookie_after({field}), "sid=v; a=1") << field;
}

TEST(InjectCookie, MakesOneFieldOfSeveral) { EXPECT_EQ(cookie_after({"a=1; sid=x", "sid=y", "b=2"}), "sid=v; a=1; b=2"); }

TEST(InjectCookie, OtherHeadersStay) {
  const auto kind = injection(Kind::cookie, "sid", "t-{secret}");
  DraftRequest draft;
  draft.headers = {{"Cookie", "sid=x"}, {"Accept", "*/*"}, {"Cookie2", "$Version=1"}};
  ASSERT_TRUE(inject(kind, "v", draft));
  EXPECT_THAT(lines(draft), ElementsAre("Accept: */*", "Cookie2: $Version=1", "Cookie: sid=t-v"));
}

// What readers of older grammars would take for that cookie, inside what is one cookie for RFC 6265.
TEST(InjectCookie, TakesOutWhatHidesOneOfThatName) {
  for (const char* field : {"a=1, sid=x", "a=1,sid=x", "a=1 sid=x", "a=\"1\"sid=x", "a=1\tSID = x", "a=\"; sid=x; \""})
    EXPECT_EQ(cookie_after({field}).find("sid", 1), std::string::npos) << field;
  EXPECT_EQ(cookie_after({"a=1, side=x; b=2 sid; c=1,2"}), "sid=v; a=1, side=x; b=2 sid; c=1,2");
}

TEST(InjectCookie, AnOpenQuoteCannotHideIt) { EXPECT_EQ(cookie_after({"a=\"1"}), "sid=v; a=\"1"); }

TEST(InjectCookie, RefusesWhatIsNoCookieValue) {
  const auto kind = injection(Kind::cookie, "sid");
  for (const std::string& bad : std::vector<std::string>{"", "a b", "a;b", "a,b", "a\"b", "a\\b", "a\r\n", "\x7f",
                                                         "\xc3\xa9", std::string(1, '\0'), "\"", "\"\""}) {
    DraftRequest draft;
    draft.headers = {{"Cookie", "sid=x"}};
    const auto result = inject(kind, bad, draft);
    ASSERT_FALSE(result) << bad;
    EXPECT_EQ(result.error().code, "credential_unusable");
    EXPECT_THAT(lines(draft), ElementsAre("Cookie: sid=x"));
  }
  EXPECT_EQ(cookie_after({}, "\"ab=/+\""), "sid=\"ab=/+\"");
}

TEST(InjectCookie, RefusesANameThatIsNone) {
  DraftRequest draft;
  for (const char* bad : {"", "a b", "a=b", "a;b"}) EXPECT_FALSE(inject(injection(Kind::cookie, bad), "v", draft)) << bad;
}

}  // namespace
}  // namespace weir::proxy
