#include <gtest/gtest.h>

#include "policy/canonical.h"

namespace weir::policy {
namespace {

struct Case {
  std::string in, out;
};

TEST(CanonicalHost, GivesOneForm) {
  const Case cases[] = {
      {"example.com", "example.com"},
      {"EXAMPLE.Com", "example.com"},
      {"example.com.", "example.com"},
      {"_dmarc.example.com", "_dmarc.example.com"},
      {"localhost", "localhost"},
      {"r3---sn-abc.example.com", "r3---sn-abc.example.com"},
      {"1password.com", "1password.com"},
      {"4.example", "4.example"},
      {"0x7f.example", "0x7f.example"},
      {"münchen.de", "xn--mnchen-3ya.de"},
      {"MÜNCHEN.de", "xn--mnchen-3ya.de"},
      {"XN--MNCHEN-3YA.de", "xn--mnchen-3ya.de"},
      {"faß.de", "xn--fa-hia.de"},  // IDNA 2008: ß is itself, not ss
      {"例え。テスト", "xn--r8jz45g.xn--zckzah"},
      {"１２７.０.０.１", "127.0.0.1"},  // full width digits are digits
      {"127.0.0.1", "127.0.0.1"},
      {"127.0.0.1.", "127.0.0.1"},
      {"::1", "::1"},
      {"[::1]", "::1"},
      {"2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},  // RFC 5952 §4.2.2: a single group is not shortened
      {"::FFFF:1.2.3.4", "1.2.3.4"},                     // the same destination as the IPv4 address
      {"[::ffff:7f00:1]", "127.0.0.1"},
  };
  for (const auto& c : cases) {
    const auto host = canonical_host(c.in);
    ASSERT_TRUE(host) << c.in << ": " << host.error().message;
    EXPECT_EQ(*host, c.out) << c.in;
    EXPECT_EQ(canonical_host(*host).value(), *host) << "not stable: " << c.in;
  }
}

TEST(CanonicalHost, RefusesLegacySpellingsOfIpv4) {
  for (const char* host : {"0x7f.1", "017700000001", "127.1", "2130706433", "0x7f000001", "127.0.0.01", "0177.0.0.1",
                           "1.2.3.4.5", "256.1.1.1", "1.2.3", "127.0.0.0x1", "a.b.1", "0x", "1.0x", "１２７.１"})
    EXPECT_FALSE(canonical_host(host)) << host;
}

TEST(CanonicalHost, RefusesWhatIsNoName) {
  for (const std::string& host : {std::string(""),
                                  std::string("."),
                                  std::string(".."),
                                  std::string("a..b"),
                                  std::string(".example.com"),
                                  std::string("example.com.."),
                                  std::string("exa mple.com"),
                                  std::string("example.com\n"),
                                  std::string("a\0b", 3),
                                  std::string("a%41.com"),
                                  std::string("user@example.com"),
                                  std::string("example.com/"),
                                  std::string("*.example.com"),
                                  std::string("-a.com"),
                                  std::string("a-.com"),
                                  std::string("a\\b.com"),
                                  std::string("\xff.com"),
                                  std::string("example.com:443"),
                                  std::string("[example.com]"),
                                  std::string("[127.0.0.1]"),
                                  std::string("[]"),
                                  std::string("[::1"),
                                  std::string("::1]"),
                                  std::string(":::"),
                                  std::string("fe80::1%eth0"),
                                  std::string("1:2"),
                                  std::string("a,b.com"),
                                  std::string("exa／mple.com"),
                                  std::string("xn--.com"),
                                  std::string("xn--a\xcc\x88.de")})
    EXPECT_FALSE(canonical_host(host)) << host;
}

TEST(CanonicalHost, RefusesASecondSpellingOfAnInternationalName) {
  EXPECT_FALSE(canonical_host("xn--mnchen-psa.de"));       // "mÜnchen": the capital is not how the name is written
  EXPECT_FALSE(canonical_host("xn--nchen-jva84866b.de"));  // the same with an m of full width
  EXPECT_FALSE(canonical_host("xn--example-.com"));        // nothing but ASCII inside
  EXPECT_FALSE(canonical_host("xn--mnchen-3ya-.de"));
  EXPECT_FALSE(canonical_host("xn--999999999.de"));
}

TEST(CanonicalHost, HoldsTheLengthsOfDns) {
  const std::string label(63, 'a');
  EXPECT_TRUE(canonical_host(label + ".com"));
  EXPECT_FALSE(canonical_host(label + "a.com"));
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'a');
  ASSERT_EQ(longest.size(), 253U);
  EXPECT_TRUE(canonical_host(longest));
  EXPECT_TRUE(canonical_host(longest + "."));
  EXPECT_FALSE(canonical_host(longest + "a"));
  EXPECT_FALSE(canonical_host(std::string(100000, 'a')));
}

TEST(CanonicalHost, SaysWhatIsWrong) {
  const auto host = canonical_host("a..b");
  ASSERT_FALSE(host);
  EXPECT_EQ(host.error().code, "host_invalid");
  EXPECT_NE(host.error().message.find("a..b"), std::string::npos);
  EXPECT_NE(host.error().message.find("empty label"), std::string::npos);
}

TEST(IsIpLiteral, TellsAddressesFromNames) {
  for (const char* host : {"127.0.0.1", "::1", "2001:db8::1"}) EXPECT_TRUE(is_ip_literal(host)) << host;
  for (const char* host : {"example.com", "1password.com", "4.example", "localhost", ""})
    EXPECT_FALSE(is_ip_literal(host)) << host;
}

}  // namespace
}  // namespace weir::policy
