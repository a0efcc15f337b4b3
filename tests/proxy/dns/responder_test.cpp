#include "proxy/dns/responder.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include "tests/proxy/dns/dns_query.h"

namespace weir::proxy {
namespace {

using namespace test;

class Responder : public testing::Test {
 protected:
  static bool is_allowed(std::string_view name) {
    return name == "api.example.com" || name.ends_with(".wild.example") || name == "xn--bcher-kva.example";
  }
  Packet ask(std::string_view bytes, bool udp = true) {
    outcome_ = responder_.answer(bytes, udp);
    return parse(outcome_.reply);
  }
  static int rcode(const Packet& packet) { return ldns_pkt_get_rcode(packet.get()); }

  SyntheticAddresses addresses_;
  DnsResponder responder_{addresses_, is_allowed};
  DnsOutcome outcome_;
};

TEST_F(Responder, AllowedNameGetsItsSyntheticAddresses) {
  const auto a = ask(query("api.example.com", LDNS_RR_TYPE_A));
  ASSERT_TRUE(a);
  EXPECT_EQ(answers(a), "198.18.1.0");
  EXPECT_EQ(ldns_rr_ttl(ldns_rr_list_rr(ldns_pkt_answer(a.get()), 0)), 60U);
  EXPECT_EQ(outcome_.verdict, "answered");
  EXPECT_EQ(outcome_.name, "api.example.com");
  EXPECT_EQ(outcome_.qtype, "A");
  const auto aaaa = ask(query("api.example.com", LDNS_RR_TYPE_AAAA));
  ASSERT_TRUE(aaaa);
  in6_addr given{};
  ASSERT_EQ(inet_pton(AF_INET6, answers(aaaa).c_str(), &given), 1);
  EXPECT_EQ(addresses_.name_of(given), "api.example.com");
  EXPECT_EQ(addresses_.size(), 1U);
}

TEST_F(Responder, ReplyCarriesTheQuerysIdFlagsAndQuestion) {
  const auto reply = ask(query("api.example.com", LDNS_RR_TYPE_A));
  ASSERT_TRUE(reply);
  EXPECT_EQ(ldns_pkt_id(reply.get()), 0x1234);
  EXPECT_TRUE(ldns_pkt_qr(reply.get()));
  EXPECT_TRUE(ldns_pkt_rd(reply.get()));
  EXPECT_TRUE(ldns_pkt_ra(reply.get()));
  EXPECT_FALSE(ldns_pkt_tc(reply.get()));
  EXPECT_FALSE(ldns_pkt_edns(reply.get()));
  EXPECT_EQ(ldns_pkt_qdcount(reply.get()), 1);
  EXPECT_EQ(ldns_pkt_arcount(reply.get()), 0);
}

TEST_F(Responder, ReplyKeepsTheNamesCaseAndTheTableDoesNot) {
  const std::string mixed = wire_name("ApI.eXaMpLe.cOm");
  const auto reply = ask(query("ApI.eXaMpLe.cOm", LDNS_RR_TYPE_A));
  ASSERT_TRUE(reply);
  EXPECT_EQ(outcome_.reply.substr(12, mixed.size()), mixed);
  EXPECT_EQ(text_of(ldns_rr_owner(ldns_rr_list_rr(ldns_pkt_answer(reply.get()), 0))), "ApI.eXaMpLe.cOm.");
  EXPECT_EQ(addresses_.name_of(addresses_.v4(0)), "api.example.com");
  (void)ask(query("api.example.com", LDNS_RR_TYPE_A));
  EXPECT_EQ(addresses_.size(), 1U);
}

TEST_F(Responder, NameThatNoRuleAllowsIsRefusedAndSaysWhyToClientsThatSpeakEdns) {
  const auto reply = ask(query("evil.example", LDNS_RR_TYPE_A, true));
  ASSERT_TRUE(reply);
  EXPECT_EQ(rcode(reply), LDNS_RCODE_REFUSED);
  EXPECT_EQ(outcome_.verdict, "refused");
  ASSERT_TRUE(ldns_pkt_edns(reply.get()));
  const auto* options = ldns_pkt_edns_get_option_list(reply.get());
  ASSERT_NE(options, nullptr);
  const auto* option = ldns_edns_option_list_get_option(options, 0);
  ASSERT_EQ(ldns_edns_get_code(option), LDNS_EDNS_EDE);
  const std::string data(reinterpret_cast<const char*>(ldns_edns_get_data(option)), ldns_edns_get_size(option));
  EXPECT_EQ(data.substr(0, 2), u16(18));
  EXPECT_NE(data.find("weir"), std::string::npos);
  EXPECT_EQ(data.find("evil"), std::string::npos);

  const auto plain = ask(query("evil.example", LDNS_RR_TYPE_A, false));
  ASSERT_TRUE(plain);
  EXPECT_EQ(rcode(plain), LDNS_RCODE_REFUSED);
  EXPECT_FALSE(ldns_pkt_edns(plain.get()));
}

TEST_F(Responder, DataInLabelsIsRefusedWhateverTheTypeAndLeavesNoTrace) {
  for (const auto type : {LDNS_RR_TYPE_A, LDNS_RR_TYPE_AAAA, LDNS_RR_TYPE_TXT, LDNS_RR_TYPE_MX, LDNS_RR_TYPE_CNAME,
                          LDNS_RR_TYPE_NULL, LDNS_RR_TYPE_HTTPS, LDNS_RR_TYPE_ANY, LDNS_RR_TYPE_PTR})
    for (const char* name : {"mfrggzdfmztwq2lk.nbswy3dpeb3w64tmmqqho33snrsa.evil.example", "api.example.com.evil.example",
                             "data.api.example.com", "wild.example", "xwild.example"}) {
      const auto reply = ask(query(name, type));
      ASSERT_TRUE(reply) << name;
      EXPECT_EQ(rcode(reply), LDNS_RCODE_REFUSED) << name << " " << type;
      EXPECT_EQ(outcome_.verdict, "refused");
    }
  EXPECT_EQ(addresses_.size(), 0U);
}

TEST_F(Responder, OtherTypesOfAnAllowedNameAreEmptyAndTakeNoAddress) {
  for (const auto type : {LDNS_RR_TYPE_HTTPS, LDNS_RR_TYPE_SVCB, LDNS_RR_TYPE_MX, LDNS_RR_TYPE_TXT, LDNS_RR_TYPE_CNAME,
                          LDNS_RR_TYPE_SRV, LDNS_RR_TYPE_NS, LDNS_RR_TYPE_SOA, LDNS_RR_TYPE_PTR}) {
    const auto reply = ask(query("api.example.com", type));
    ASSERT_TRUE(reply);
    EXPECT_EQ(rcode(reply), LDNS_RCODE_NOERROR);
    EXPECT_EQ(ldns_pkt_ancount(reply.get()), 0);
    EXPECT_EQ(outcome_.verdict, "empty");
  }
  (void)ask(query("api.example.com", LDNS_RR_TYPE_HTTPS));
  EXPECT_EQ(outcome_.qtype, "HTTPS");
  (void)ask(query("api.example.com", static_cast<ldns_rr_type>(65280)));
  EXPECT_EQ(outcome_.qtype, "TYPE65280");
  EXPECT_EQ(addresses_.size(), 0U);
}

TEST_F(Responder, AnyGivesBothAddresses) {
  const auto reply = ask(query("api.example.com", LDNS_RR_TYPE_ANY));
  ASSERT_TRUE(reply);
  EXPECT_EQ(ldns_pkt_ancount(reply.get()), 2);
}

TEST_F(Responder, WhatIsNoHostNameIsRefusedBeforeThePolicyIsAsked) {
  SyntheticAddresses table;
  DnsResponder everything(table, [](std::string_view) { return true; });
  const std::string long_label(63, 'a');
  for (const std::string& name :
       {wire_name(""), wire_name("1.2.3.4"), wire_name("127.1"), wire_name("0x7f.1"), wire_name("::1"),
        wire_name("2130706433"), wire_name("white space.example"), wire_name("bücher.example"),
        std::string("\x07"
                    "a\0b.c\\d\x07"
                    "example\0",
                    17),
        std::string("\x0b"
                    "evil.import\x03"
                    "com\0",
                    17),
        wire_name("*.example.com"), wire_name("a@b.example"), wire_name("a\nb.example")}) {
    const auto outcome = everything.answer(header(1, kRecursionDesired, 1) + name + u16(1) + u16(1), true);
    const auto reply = parse(outcome.reply);
    ASSERT_TRUE(reply) << outcome.name;
    EXPECT_EQ(rcode(reply), LDNS_RCODE_REFUSED) << outcome.name;
    EXPECT_EQ(outcome.verdict, "refused") << outcome.name;
  }
  EXPECT_EQ(table.size(), 0U);
}

TEST_F(Responder, LocalhostIsLoopbackAndNeedsNoRule) {
  for (const char* name : {"localhost", "LOCALHOST", "app.localhost"}) {
    EXPECT_EQ(answers(ask(query(name, LDNS_RR_TYPE_A))), "127.0.0.1") << name;
    EXPECT_EQ(answers(ask(query(name, LDNS_RR_TYPE_AAAA))), "::1") << name;
  }
  EXPECT_EQ(rcode(ask(query("localhost.evil.example", LDNS_RR_TYPE_A))), LDNS_RCODE_REFUSED);
  EXPECT_EQ(rcode(ask(query("notlocalhost", LDNS_RR_TYPE_A))), LDNS_RCODE_REFUSED);
  EXPECT_EQ(addresses_.size(), 0U);
}

TEST_F(Responder, SyntheticAddressHasItsNameAsPointer) {
  (void)ask(query("api.example.com", LDNS_RR_TYPE_A));
  const auto v4 = ask(query("0.1.18.198.in-addr.arpa", LDNS_RR_TYPE_PTR));
  ASSERT_TRUE(v4);
  EXPECT_EQ(answers(v4), "api.example.com.");
  const in6_addr address = addresses_.v6(0);
  std::string name;
  for (int i = 31; i >= 0; --i) {
    const unsigned byte = address.s6_addr[i / 2];
    name += "0123456789abcdef"[i % 2 == 0 ? byte >> 4U : byte & 15U];
    name += '.';
  }
  const auto v6 = ask(query(name + "IP6.ARPA", LDNS_RR_TYPE_PTR));
  ASSERT_TRUE(v6);
  EXPECT_EQ(answers(v6), "api.example.com.");
}

TEST_F(Responder, PointersOfOtherAddressesAreNotAnswered) {
  EXPECT_EQ(answers(ask(query("1.0.0.127.in-addr.arpa", LDNS_RR_TYPE_PTR))), "localhost.");
  EXPECT_EQ(rcode(ask(query("9.9.19.198.in-addr.arpa", LDNS_RR_TYPE_PTR))), LDNS_RCODE_NXDOMAIN);
  for (const char* name : {"8.8.8.8.in-addr.arpa", "1.0.168.192.in-addr.arpa", "256.0.18.198.in-addr.arpa",
                           "01.1.18.198.in-addr.arpa", "1.18.198.in-addr.arpa", "x.0.1.18.198.in-addr.arpa", "in-addr.arpa"})
    EXPECT_EQ(rcode(ask(query(name, LDNS_RR_TYPE_PTR))), LDNS_RCODE_REFUSED) << name;
}

TEST_F(Responder, FullTableFailsNewNamesOnly) {
  for (std::size_t i = 0; i < SyntheticAddresses::kMaxNames - 1; ++i) (void)addresses_.index_of("n" + std::to_string(i));
  EXPECT_EQ(outcome_.verdict, "");
  EXPECT_EQ(ldns_pkt_ancount(ask(query("api.example.com", LDNS_RR_TYPE_A)).get()), 1);
  const auto full = ask(query("one.wild.example", LDNS_RR_TYPE_A, true));
  ASSERT_TRUE(full);
  EXPECT_EQ(rcode(full), LDNS_RCODE_SERVFAIL);
  EXPECT_EQ(outcome_.verdict, "refused");
  EXPECT_EQ(ldns_pkt_ancount(full.get()), 0);
  EXPECT_EQ(ldns_pkt_ancount(ask(query("api.example.com", LDNS_RR_TYPE_AAAA)).get()), 1);
}

TEST_F(Responder, LongestNameIsAnsweredWithin512Octets) {
  const std::string label(63, 'a');
  const std::string name = label + "." + label + "." + label + "." + std::string(48, 'b') + ".wild.example";  // 253 octets
  ASSERT_EQ(wire_name(name).size(), 255U);
  const auto reply = ask(query(name, LDNS_RR_TYPE_ANY));
  ASSERT_TRUE(reply);
  EXPECT_EQ(ldns_pkt_ancount(reply.get()), 2);
  EXPECT_LE(outcome_.reply.size(), 512U);
  const auto pointer = ask(query("0.1.18.198.in-addr.arpa", LDNS_RR_TYPE_PTR, true));
  ASSERT_TRUE(pointer);
  EXPECT_EQ(answers(pointer), name + ".");
  EXPECT_LE(outcome_.reply.size(), 512U);
}

TEST_F(Responder, QuestionsOfOtherClassesAndMetaTypesAreRefused) {
  for (const auto klass : {LDNS_RR_CLASS_CH, LDNS_RR_CLASS_HS, LDNS_RR_CLASS_NONE, LDNS_RR_CLASS_ANY})
    EXPECT_EQ(rcode(ask(query("api.example.com", LDNS_RR_TYPE_A, false, klass))), LDNS_RCODE_REFUSED);
  for (const unsigned type : {0U, 41U, 128U, 249U, 250U, 251U, 252U, 253U, 254U})
    EXPECT_EQ(rcode(ask(query("api.example.com", static_cast<ldns_rr_type>(type)))), LDNS_RCODE_REFUSED) << type;
  EXPECT_EQ(addresses_.size(), 0U);
}

}  // namespace
}  // namespace weir::proxy
