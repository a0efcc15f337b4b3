// Placeholders in a request's head.
#include <gmock/gmock.h>

#include "proxy/credentials/substitution.h"
#include "tests/proxy/credentials/credentials_testing.h"

namespace weir::proxy {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kFirst = "sk_live_Ab3dEf5hIj7lMn9p", kSecond = "tok-~/+=.Qw3rTy5uIo7pAs9d";

struct Head {
  DraftRequest draft;
  std::vector<Replacement> replacements{{1, kFirst, "one", &kEverywhere}, {2, kSecond, "t/w o", &kEverywhere}};
  Head(std::vector<HeaderField> headers, std::string_view query = "", std::string_view path = "/") {
    draft.headers = std::move(headers);
    draft.query = query;
    draft.path = path;
  }
  std::size_t replace() { return replace_in_head(draft, replacements).value(); }
  std::string error() {
    const auto result = replace_in_head(draft, replacements);
    return result ? "" : result.error().code;
  }
};

std::string in(std::string_view before, std::string_view text, std::string_view after = "") {
  return std::string(before) + std::string(text) + std::string(after);
}

TEST(SubstituteHead, ReplacesInAnyHeadersValue) {
  const std::string a = in("Bearer ", kFirst), b = in("", kSecond, ", ") + in("x=", kFirst, ";") + std::string(kFirst);
  Head head({{"Authorization", a}, {"X-Other", b}, {"X-None", "sk_live_Ab3dEf5hIj7lMn9"}});
  EXPECT_THAT(placeholders_in(head.draft, head.replacements), testing::UnorderedElementsAre(1U, 2U));
  EXPECT_EQ(head.replace(), 4U);
  EXPECT_THAT(lines(head.draft),
              ElementsAre("Authorization: Bearer one", "X-Other: t/w o, x=one;one", "X-None: sk_live_Ab3dEf5hIj7lMn9"));
}

TEST(SubstituteHead, DoesNotLookAtNamesNorAtOtherTexts) {
  const std::string upper = "SK_LIVE_AB3DEF5HIJ7LMN9P";
  Head head({{kFirst, "1"}, {"A", upper}});
  head.draft.authority = head.draft.host = kFirst;
  EXPECT_THAT(placeholders_in(head.draft, head.replacements), IsEmpty());
  EXPECT_EQ(head.replace(), 0U);
  EXPECT_THAT(lines(head.draft), ElementsAre(std::string(kFirst) + ": 1", "A: " + upper));
}

TEST(SubstituteHead, ReplacesInsideBasic) {
  for (const std::string scheme : {"Basic ", "basic ", "BASIC   "}) {
    const std::string user = scheme + base64_encode(in("", kFirst, ":")),
                      password = scheme + base64_encode(in("me:x", kSecond));
    Head head({{"Authorization", user}, {"X-Forwarded-Authorization", password}});
    EXPECT_THAT(placeholders_in(head.draft, head.replacements), ElementsAre(1U, 2U));
    EXPECT_EQ(head.replace(), 2U);
    EXPECT_THAT(lines(head.draft), ElementsAre("Authorization: " + scheme + base64_encode("one:"),
                                               "X-Forwarded-Authorization: " + scheme + base64_encode("me:xt/w o")));
  }
}

TEST(SubstituteHead, ReadsBasicWithoutItsPadding) {
  std::string value = "Basic " + base64_encode(in("me:", kFirst));
  while (value.ends_with('=')) value.pop_back();
  Head head({{"Authorization", value}});
  EXPECT_EQ(head.replace(), 1U);
  EXPECT_EQ(head.draft.headers[0].value, basic("me:one"));
}

TEST(SubstituteHead, ReplacesARawPlaceholderBehindBasicToo) {
  const std::string value = in("Basic ", kFirst);
  Head head({{"Authorization", value}});
  EXPECT_EQ(head.replace(), 1U);
  EXPECT_EQ(head.draft.headers[0].value, "Basic one");
}

TEST(SubstituteHead, LeavesBasicOfOtherTextsAsItStands) {
  for (const std::string& value :
       std::vector<std::string>{"Basic", "Basic ", "Basic !!!!", "Basic YQ=", "Basic Y", basic("a:b"),
                                "Basicx " + base64_encode(kFirst), "Bearer " + base64_encode(kFirst)}) {
    Head head({{"Authorization", value}});
    EXPECT_EQ(head.replace(), 0U) << value;
    EXPECT_EQ(head.draft.headers[0].value, value);
  }
}

TEST(SubstituteHead, AColonMayComeIntoThePasswordButNotIntoTheUser) {
  const auto replaced = [](std::string_view pair) {
    const std::string value = basic(pair);
    Head head({{"Authorization", value}});
    head.replacements[0].secret = "u:p";
    const auto result = replace_in_head(head.draft, head.replacements);
    return result ? std::string(head.draft.headers[0].value) : result.error().code;
  };
  EXPECT_EQ(replaced(in("", kFirst, ":x")), "credential_unusable");
  EXPECT_EQ(replaced(in("me:", kFirst)), basic("me:u:p"));
  EXPECT_EQ(replaced(kFirst), basic("u:p"));
}

TEST(SubstituteHead, RefusesValuesThatCannotStandInAHeader) {
  for (const std::string& bad :
       std::vector<std::string>{"a\r\nB: c", "a\n", std::string("a\0", 2), "\x7f", " a", "a\t", ""}) {
    const std::string raw(kFirst), inside = basic(in("me:", kFirst));
    Head head({{"A", raw}});
    head.replacements[0].secret = bad;
    EXPECT_EQ(head.error(), "credential_unusable") << bad;
    if (bad == " a") continue;  // fine inside Basic
    Head in_basic({{"A", inside}});
    in_basic.replacements[0].secret = bad;
    EXPECT_EQ(in_basic.error(), "credential_unusable") << bad;
  }
}

TEST(SubstituteHead, ReplacesInQueryAndPathPercentEncoded) {
  const std::string query = in("a=", kFirst, "&b=") + std::string(kSecond), path = in("/v1/", kSecond, "/x");
  Head head(std::vector<HeaderField>{}, query, path);
  EXPECT_THAT(placeholders_in(head.draft, head.replacements), ElementsAre(1U, 2U));
  EXPECT_EQ(head.replace(), 3U);
  EXPECT_EQ(head.draft.query, "a=one&b=t%2Fw%20o");
  EXPECT_EQ(head.draft.path, "/v1/t%2Fw%20o/x");
}

TEST(SubstituteHead, FindsAPlaceholderOfWhichAnyOctetIsEscaped) {
  std::string lower, upper, some;
  for (const char c : kSecond) {
    const std::string hex = hex_encode({&c, 1});
    lower += "%" + hex;
    for (const char h : "%" + hex) upper += static_cast<char>(h >= 'a' && h <= 'z' ? h - 32 : h);
    some += some.size() % 2 == 0 ? "%" + hex : std::string(1, c);
  }
  for (const auto& text : {lower, upper, some, std::string("tok-~%2F%2B%3D.Qw3rTy5uIo7pAs9d")}) {
    const std::string query = "k=" + text + "&z", path = "/" + text;
    Head head(std::vector<HeaderField>{}, query, path);
    EXPECT_EQ(head.replace(), 2U) << text;
    EXPECT_EQ(head.draft.query, "k=t%2Fw%20o&z");
    EXPECT_EQ(head.draft.path, "/t%2Fw%20o");
  }
}

TEST(SubstituteHead, AnEscapedEscapeIsNoEscape) {
  for (const char* query :
       {"%2573k_live_Ab3dEf5hIj7lMn9p", "%7", "%73k_live_Ab3dEf5hIj7lMn9", "%73k_live_Ab3dEf5hIj7lMn9%7", "%zz%"}) {
    Head head(std::vector<HeaderField>{}, query);
    EXPECT_EQ(head.replace(), 0U) << query;
    EXPECT_EQ(head.draft.query, query);
  }
}

TEST(SubstituteHead, HeadersAreNotReadAsEscaped) {
  Head head(std::vector<HeaderField>{{"A", "%73k_live_Ab3dEf5hIj7lMn9p"}});
  EXPECT_EQ(head.replace(), 0U);
}

TEST(SubstituteHead, ReplacesOnlyWhereItMay) {
  struct Row {
    policy::Substitution where;
    bool header, query, path;
  };
  for (const auto& row :
       {Row{places(true), true, false, false}, Row{places(false, true), false, true, false},
        Row{places(false, false, true), false, false, true}, Row{places(false, false, false, true), false, false, false}}) {
    const std::string query(kFirst), path = in("/", kFirst), header = basic(in("a:", kFirst));
    Head head({{"A", query}, {"Authorization", header}}, query, path);
    head.replacements = {{7, kFirst, "one", &row.where}};
    EXPECT_EQ(placeholders_in(head.draft, head.replacements).size(), row.header || row.query || row.path ? 1U : 0U);
    EXPECT_EQ(head.replace(), row.header ? 2U : row.query || row.path ? 1U : 0U);
    EXPECT_EQ(head.draft.query == "one", row.query);
    EXPECT_EQ(head.draft.path == "/one", row.path);
    EXPECT_EQ(head.draft.headers[0].value == "one", row.header);
    EXPECT_EQ(head.draft.headers[1].value == basic("a:one"), row.header);
  }
}

TEST(SubstituteHead, RefusesASegmentOfDots) {
  for (const char* dots : {".", ".."}) {
    const std::string path = in("/a/", kFirst, "/b"), longer = in("/a/x", kFirst), query(kFirst);
    const std::vector<HeaderField> none;
    Head head(none, "", path), beside(none, query, longer);
    head.replacements[0].secret = beside.replacements[0].secret = dots;
    EXPECT_EQ(head.error(), "credential_unusable");
    EXPECT_EQ(beside.error(), "");
  }
}

TEST(SubstituteHead, AsksForPlaceholdersWithoutTheirValues) {
  const std::string value(kFirst);
  Head head({{"A", value}});
  for (auto& replacement : head.replacements) replacement.secret = {};
  EXPECT_THAT(placeholders_in(head.draft, head.replacements), ElementsAre(1U));
  EXPECT_EQ(head.error(), "credential_unusable");
}

TEST(SubstituteHead, AValueIsNotLookedIntoAgain) {
  const std::string value(kFirst);
  Head head({{"A", value}});
  head.replacements[0].secret = kSecond;
  EXPECT_EQ(head.replace(), 1U);
  EXPECT_EQ(head.draft.headers[0].value, kSecond);
}

}  // namespace
}  // namespace weir::proxy
