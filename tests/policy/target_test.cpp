#include "policy_testing.h"

namespace weir::policy {
namespace {

TEST(ParseTarget, TakesAUrlApart) {
  const auto target = parse_target("HTTPS://Example.com:8443/a/../b%2fc?x=/y#z").value();
  EXPECT_EQ(target.scheme, "https");
  EXPECT_EQ(target.host, "example.com");
  EXPECT_EQ(target.port, 8443);
  EXPECT_EQ(target.path.wire, "/b%2Fc");
}

TEST(ParseTarget, KnowsTheDefaults) {
  EXPECT_EQ(parse_target("https://a.com").value().port, 443);
  EXPECT_EQ(parse_target("http://a.com?x").value().port, 80);
  EXPECT_EQ(parse_target("http://a.com?x").value().path.wire, "/");
  EXPECT_EQ(parse_target("http://[::1]:8080/").value().host, "::1");
}

TEST(ParseTarget, RefusesOtherThings) {
  for (const char* url : {"", "a.com", "/a", "ftp://a.com/", "https://", "https:///a", "https://user@a.com/",
                          "https://a.com:0/", "https://*.a.com/", "https://a..b/", "https://127.1/"})
    EXPECT_FALSE(parse_target(url)) << url;
}

}  // namespace
}  // namespace weir::policy
