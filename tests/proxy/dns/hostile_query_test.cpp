// What a sandbox may send that is no proper query. Nothing here may crash, be answered with an address, or be
// remembered.
#include <gtest/gtest.h>

#include <chrono>
#include <random>

#include "proxy/dns/responder.h"
#include "tests/proxy/dns/dns_query.h"

namespace weir::proxy {
namespace {

using namespace test;

class HostileQuery : public testing::Test {
 protected:
  // The reply's rcode; -1 when the query was dropped.
  int ask(std::string_view bytes, bool udp = true) {
    outcome_ = responder_.answer(bytes, udp);
    if (outcome_.reply.empty()) return -1;
    const auto packet = parse(outcome_.reply);
    EXPECT_TRUE(packet);
    if (!packet) return -2;
    EXPECT_EQ(ldns_pkt_id(packet.get()), LDNS_ID_WIRE(reinterpret_cast<const std::uint8_t*>(bytes.data())));
    EXPECT_TRUE(ldns_pkt_qr(packet.get()));
    return ldns_pkt_get_rcode(packet.get());
  }
  SyntheticAddresses addresses_;
  DnsResponder responder_{addresses_, [](std::string_view) { return true; }};
  DnsOutcome outcome_;
};

const std::string kQuestion = wire_name("api.example.com") + u16(1) + u16(1);

TEST_F(HostileQuery, ShorterThanAHeaderIsDropped) {
  for (std::size_t size = 0; size < 12; ++size) {
    EXPECT_EQ(ask(std::string(size, '\0')), -1) << size;
    EXPECT_EQ(outcome_.verdict, "malformed");
  }
}

TEST_F(HostileQuery, ResponseIsDroppedSoThatServersCannotTalkToEachOther) {
  EXPECT_EQ(ask(header(1, 0x8000, 1) + kQuestion), -1);
  EXPECT_EQ(ask(responder_.answer(query("api.example.com", LDNS_RR_TYPE_A), true).reply), -1);
  EXPECT_EQ(outcome_.verdict, "malformed");
}

TEST_F(HostileQuery, OtherOpcodesAreNotImplemented) {
  for (unsigned opcode = 1; opcode < 16; ++opcode) EXPECT_EQ(ask(header(1, opcode << 11U, 1) + kQuestion), 4) << opcode;
  EXPECT_EQ(ask(header(1, 5U << 11U, 1, 3, 65535, 9)), 4);
}

TEST_F(HostileQuery, AnyCountButOneQuestionIsAFormatError) {
  EXPECT_EQ(ask(header(1, 0, 0)), 1);
  EXPECT_EQ(ask(header(1, 0, 2) + kQuestion + kQuestion), 1);
  EXPECT_EQ(ask(header(1, 0, 65535) + kQuestion), 1);
  EXPECT_EQ(ask(header(1, 0, 1, 1) + kQuestion), 1);
  EXPECT_EQ(ask(header(1, 0, 1, 0, 1) + kQuestion), 1);
  EXPECT_EQ(ask(header(1, 0, 1, 0, 0, 65535) + kQuestion), 1);
  EXPECT_EQ(ask(header(1, 0x0200, 1) + kQuestion), 1) << "cut short by its own word";
  EXPECT_EQ(addresses_.size(), 0U);
}

TEST_F(HostileQuery, CutAtAnyOctetIsAFormatErrorOrDropped) {
  const std::string whole = query("api.example.com", LDNS_RR_TYPE_A, true);
  for (std::size_t size = 12; size < whole.size(); ++size) EXPECT_EQ(ask(whole.substr(0, size)), 1) << size;
  EXPECT_EQ(addresses_.size(), 0U);
  EXPECT_EQ(ask(whole), 0);
}

TEST_F(HostileQuery, TrailingOctetsAreAFormatError) { EXPECT_EQ(ask(query("api.example.com", LDNS_RR_TYPE_A) + "x"), 1); }

TEST_F(HostileQuery, CompressedQuestionNamesAreFormatErrors) {
  for (const unsigned target : {0U, 2U, 4U, 11U, 12U, 13U, 14U, 20U, 0x3fffU})
    EXPECT_EQ(ask(header(1, 0, 1) + u16(0xC000U | target) + u16(1) + u16(1)), 1) << target;
  // A label and then a pointer back to that label; a pointer to the pointer; one into the header's zeros.
  EXPECT_EQ(ask(header(1, 0, 1) +
                "\x01"
                "a" +
                u16(0xC00C) + u16(1) + u16(1)),
            1);
  EXPECT_EQ(ask(header(1, 0, 1) +
                "\x01"
                "a" +
                u16(0xC00E) + u16(1) + u16(1)),
            1);
  EXPECT_EQ(ask(header(1, 0, 1) +
                "\x01"
                "a" +
                u16(0xC002) + u16(1) + u16(1)),
            1);
  EXPECT_EQ(addresses_.size(), 0U);
}

TEST_F(HostileQuery, ReservedLabelTypesAreFormatErrors) {
  EXPECT_EQ(ask(header(1, 0, 1) + "\x41" + std::string(70, 'a') + u16(1) + u16(1)), 1);
  EXPECT_EQ(ask(header(1, 0, 1) + "\x81" + std::string(70, 'a') + u16(1) + u16(1)), 1);
}

TEST_F(HostileQuery, NameOver255OctetsIsAFormatError) {
  std::string name;
  for (int i = 0; i < 128; ++i)
    name +=
        "\x01"
        "a";
  EXPECT_EQ(ask(header(1, 0, 1) + name + '\0' + u16(1) + u16(1)), 1);
}

TEST_F(HostileQuery, PointerLoopInTheAdditionalSectionIsAFormatError) {
  const std::string start = header(1, 0, 1, 0, 0, 1) + kQuestion;
  const auto self = static_cast<unsigned>(start.size());
  EXPECT_EQ(ask(start + u16(0xC000U | self) + u16(1) + u16(1) + std::string(6, '\0')), 1);
}

TEST_F(HostileQuery, LongPointerChainsCostLittle) {
  // TCP allows 64 KiB: chains of pointers, named by as many records as are looked at.
  std::string bytes = header(1, 0, 1, 0, 0, 4) + kQuestion;
  const std::size_t base = bytes.size();
  std::string chain = u16(0xC000U | 12U);
  while (base + 20 + chain.size() < 0x3ff0) chain += u16(0xC000U | static_cast<unsigned>(base + 11 + chain.size() - 2));
  bytes += '\0' + u16(99) + u16(1) + std::string(4, '\0') + u16(static_cast<unsigned>(chain.size())) + chain;
  for (int i = 0; i < 3; ++i)
    bytes += u16(0xC000U | static_cast<unsigned>(base + 11 + chain.size() - 2)) + u16(99) + u16(1) + std::string(6, '\0');
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) (void)ask(bytes, false);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
}

TEST_F(HostileQuery, EdnsOddities) {
  const auto with = [&](const std::string& additional, unsigned count = 1) {
    return header(1, 0, 1, 0, 0, count) + kQuestion + additional;
  };
  EXPECT_EQ(ask(with(opt(0))), 0) << "a size below 512 counts as 512";
  EXPECT_EQ(ask(with(opt(65535, 0, 0x8000, std::string(30000, 'x')))), 0) << "options are not looked into";
  EXPECT_EQ(ask(with(opt(1232, 0, 0, u16(15) + u16(65535)))), 0);
  EXPECT_EQ(ask(with(opt() + opt(), 2)), 1) << "two OPT records";
  EXPECT_EQ(ask(with(wire_name("a") + opt().substr(1))), 1) << "an OPT that is not the root's";
  EXPECT_EQ(ask(with(opt().substr(0, 10) + u16(1))), 1) << "says one octet, has none";
  EXPECT_EQ(ask(with(std::string("\xC0\x0C", 2) + u16(1) + u16(1) + std::string(4, '\0') + u16(4) + "abcd")), 0)
      << "other additional records are skipped";
}

TEST_F(HostileQuery, UnknownEdnsVersionIsBadversAndNothingElse) {
  EXPECT_EQ(ask(header(1, 0, 1, 0, 0, 1) + kQuestion + opt(1232, 1)), 0);
  const auto reply = parse(outcome_.reply);
  EXPECT_EQ(ldns_pkt_edns_extended_rcode(reply.get()), 1);
  EXPECT_EQ(ldns_pkt_edns_version(reply.get()), 0);
  EXPECT_EQ(ldns_pkt_ancount(reply.get()), 0);
  EXPECT_EQ(addresses_.size(), 0U);
}

TEST_F(HostileQuery, DnssecOkBitComesBack) {
  EXPECT_EQ(ask(header(1, 0, 1, 0, 0, 1) + kQuestion + opt(4096, 0, 0x8000)), 0);
  const auto reply = parse(outcome_.reply);
  EXPECT_TRUE(ldns_pkt_edns_do(reply.get()));
  EXPECT_FALSE(ldns_pkt_ad(reply.get()));
}

TEST_F(HostileQuery, MutatedAndRandomOctetsNeverCrashOrForgeAReply) {
  std::mt19937 random(7);
  const std::string seed = query("api.example.com", LDNS_RR_TYPE_A, true);
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = seed;
    for (auto changes = 1 + random() % 6; changes > 0; --changes)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    (void)ask(bytes, random() % 2 == 0);
  }
}

}  // namespace
}  // namespace weir::proxy
