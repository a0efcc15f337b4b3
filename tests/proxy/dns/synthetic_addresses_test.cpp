#include "proxy/dns/synthetic_addresses.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <cstring>
#include <set>

namespace weir::proxy {
namespace {

in_addr v4(const char* text) {
  in_addr address{};
  inet_pton(AF_INET, text, &address);
  return address;
}

TEST(SyntheticAddresses, NameKeepsItsIndexAndComesBackFromBothAddresses) {
  SyntheticAddresses table;
  const auto first = table.index_of("one.example");
  const auto second = table.index_of("two.example");
  ASSERT_TRUE(first && second);
  EXPECT_NE(*first, *second);
  EXPECT_EQ(table.index_of("one.example"), first);
  EXPECT_EQ(table.name_of(table.v4(*first)), "one.example");
  EXPECT_EQ(table.name_of(table.v6(*second)), "two.example");
  EXPECT_EQ(table.size(), 2U);
}

TEST(SyntheticAddresses, AddressesThatWereNotGivenOutHaveNoName) {
  SyntheticAddresses table;
  ASSERT_TRUE(table.index_of("one.example"));
  for (const char* text : {"198.18.0.0", "198.18.0.255", "198.18.1.1", "198.19.255.255", "198.20.0.0", "198.17.255.255",
                           "127.0.0.1", "255.255.255.255", "0.0.0.0"})
    EXPECT_FALSE(table.name_of(v4(text))) << text;
  EXPECT_EQ(table.name_of(v4("198.18.1.0")), "one.example");
  in6_addr other = table.v6(0);
  other.s6_addr[8] = 1;
  EXPECT_FALSE(table.name_of(other));
  EXPECT_TRUE(table.in_range(other));
  other = table.v6(0);
  other.s6_addr[7] ^= 1U;
  EXPECT_FALSE(table.name_of(other));
  EXPECT_FALSE(table.in_range(other));
}

TEST(SyntheticAddresses, RangeEndsWhereRfc2544Says) {
  const SyntheticAddresses table;
  EXPECT_TRUE(table.in_range(v4("198.18.0.0")));
  EXPECT_TRUE(table.in_range(v4("198.19.255.255")));
  EXPECT_FALSE(table.in_range(v4("198.17.255.255")));
  EXPECT_FALSE(table.in_range(v4("198.20.0.0")));
}

TEST(SyntheticAddresses, Ipv6PrefixIsLocalAndDiffersFromSandboxToSandbox) {
  std::set<std::string> prefixes;
  for (int i = 0; i < 20; ++i) {
    const SyntheticAddresses table;
    const in6_addr address = table.v6(0);
    EXPECT_EQ(address.s6_addr[0], 0xfd);
    prefixes.emplace(reinterpret_cast<const char*>(address.s6_addr), 8);
  }
  EXPECT_EQ(prefixes.size(), 20U);
}

TEST(SyntheticAddresses, FullTableRefusesNewNamesAndKeepsTheOldOnes) {
  SyntheticAddresses table;
  for (std::size_t i = 0; i < SyntheticAddresses::kMaxNames; ++i)
    ASSERT_EQ(table.index_of("n" + std::to_string(i) + ".example"), static_cast<std::uint32_t>(i));
  EXPECT_FALSE(table.index_of("one-more.example"));
  EXPECT_EQ(table.index_of("n65535.example"), 65535U);
  EXPECT_TRUE(table.in_range(table.v4(65535)));
  EXPECT_EQ(table.name_of(table.v4(65535)), "n65535.example");
  EXPECT_EQ(table.name_of(table.v6(65535)), "n65535.example");
  EXPECT_EQ(table.name_of(table.v4(0)), "n0.example");
}

TEST(SyntheticAddresses, NameViewsStayGoodWhileTheTableGrowsAndMoves) {
  SyntheticAddresses table;
  ASSERT_TRUE(table.index_of("a.b"));  // short enough to live inside the string object
  const std::string_view name = *table.name_of(table.v4(0));
  for (int i = 0; i < 5000; ++i) (void)table.index_of("n" + std::to_string(i) + ".example");
  const SyntheticAddresses moved = std::move(table);
  EXPECT_EQ(name, "a.b");
  EXPECT_EQ(moved.name_of(moved.v4(0)), "a.b");
}

}  // namespace
}  // namespace weir::proxy
