// Token endpoints' answers as forms.
#include <gmock/gmock.h>

#include "proxy/credentials/token_answer.h"

namespace weir::proxy {
namespace {

const std::vector<TokenPlace> kPlaces{{"access_token", 1, "tok-AAAA/+="}, {"refresh_token", 2, "ref-BBBB"}};

std::string caught(std::string_view body) {
  const auto answer = catch_tokens("application/x-www-form-urlencoded; charset=utf-8", body, kPlaces);
  if (!answer) return answer.error().code;
  std::string out;
  for (const auto& token : answer->tokens) out += std::to_string(token.id) + "=" + std::string(token.token.reveal()) + " ";
  return out + "|" + std::string(answer->body.view()) + "|" + std::to_string(answer->expires_seconds);
}

TEST(TokenForm, TakesTokensOutAndLeavesTheRestAsItStands) {
  EXPECT_EQ(
      caught("scope=repo%2Cgist&access_token=gho_a%2Fb+c&token_type=bearer&refresh_token=r&expires_in=28800"),
      "1=gho_a/b c 2=r "
      "|scope=repo%2Cgist&access_token=tok-AAAA%2F%2B%3D&token_type=bearer&refresh_token=ref-BBBB&expires_in=28800|28800");
}

TEST(TokenForm, NamesMayBeEscaped) { EXPECT_EQ(caught("acc%65ss%5Ftoken=a"), "1=a |acc%65ss%5Ftoken=tok-AAAA%2F%2B%3D|0"); }

TEST(TokenForm, ErrorsAndEmptyOnesPass) {
  for (const char* body : {"error=bad_verification_code&error_description=x", "access_token=&refresh_token", "a=1",
                           "access_token=tok-AAAA%2f%2b%3d"})
    EXPECT_EQ(caught(body), "|" + std::string(body) + "|0") << body;
}

TEST(TokenForm, RefusesWhatCanBeReadInTwoWays) {
  for (const char* body : {"access_token=a&access_token=b", "access_token=a&ACCESS_TOKEN=b",
                           "access_token=a&access%5ftoken=", "x=1;access_token=a", "access_token=a;x=1", "access_token=%zz",
                           "access_token=a%2"})
    EXPECT_EQ(caught(body), "token_answer_unreadable") << body;
}

TEST(TokenForm, SemicolonsElsewhereStay) {
  EXPECT_EQ(caught("x=1;y=2&access_token=a"), "1=a |x=1;y=2&access_token=tok-AAAA%2F%2B%3D|0");
}

TEST(TokenForm, ALineFeedAtTheEndIsNotOfTheToken) {
  EXPECT_EQ(caught("access_token=a\r\n"), "1=a |access_token=tok-AAAA%2F%2B%3D\r\n|0");
}

}  // namespace
}  // namespace weir::proxy
