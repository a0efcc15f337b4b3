#include "policy_testing.h"

namespace weir::policy {
namespace {

std::vector<std::string> misses(const Policy& policy, std::string_view method, std::string_view url) {
  const auto target = parse_target(url).value();
  std::vector<std::string> all;
  for (const auto& miss : explain(policy, target.request(method))) all.push_back(miss.missed);
  return all;
}

TEST(Explain, NamesTheFirstConditionThatDidNotHold) {
  const auto policy = policy_of("rules:\n  - {hosts: [a.com, '*.a.com'], methods: [POST, PUT], paths: ['/v1/**']}\n");
  using testing::ElementsAre;
  EXPECT_THAT(misses(policy, "GET", "https://b.com/v1/x"), ElementsAre("host b.com is not in [a.com, *.a.com]"));
  EXPECT_THAT(misses(policy, "GET", "https://a.com:8443/v1/x"), ElementsAre("port 8443 is not in [80, 443]"));
  EXPECT_THAT(misses(policy, "GET", "https://a.com/v1/x"), ElementsAre("method GET is not in [POST, PUT]"));
  EXPECT_THAT(misses(policy, "POST", "https://a.com/v2"), ElementsAre("path /v2 is not in [/v1/**]"));
  EXPECT_THAT(misses(policy, "POST", "https://a.com/v1//x"), ElementsAre(testing::HasSubstr("ambiguous")));
  EXPECT_THAT(misses(policy, "POST", "https://a.com/v1/a%2Fx"), ElementsAre(testing::HasSubstr("encoded_slash: allow")));
  EXPECT_THAT(misses(policy, "POST", "https://a.com/v1/x"), ElementsAre(""));
}

TEST(Explain, SpeaksOfEveryRuleInOrder) {
  const auto policy = policy_of("rules:\n  - {hosts: [a.com]}\n  - {hosts: ['*'], action: deny}\n  - {hosts: [b.com]}\n");
  EXPECT_THAT(misses(policy, "GET", "https://a.com/"), testing::ElementsAre("", "", "host a.com is not in [b.com]"));
}

TEST(Explain, KnowsThatAStarIsNoAddressUnlessItDenies) {
  const auto policy = policy_of("rules:\n  - {hosts: ['*']}\n  - {hosts: ['*'], action: deny}\n");
  EXPECT_THAT(misses(policy, "GET", "https://1.2.3.4/"), testing::ElementsAre("host 1.2.3.4 is not in [*]", ""));
}

}  // namespace
}  // namespace weir::policy
