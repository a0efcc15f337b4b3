#include <gtest/gtest.h>

#include "policy/policy.h"

namespace weir::policy {
namespace {

TEST(SpecialPurposeAddress, HoldsWhatNoSandboxMayReach) {
  for (const char* address : {"127.0.0.1",
                              "127.255.255.255",
                              "0.0.0.0",
                              "10.0.0.1",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.168.1.1",
                              "169.254.169.254",
                              "100.64.0.1",
                              "100.100.100.200",
                              "168.63.129.16",
                              "192.0.0.1",
                              "192.0.2.1",
                              "198.18.0.1",
                              "198.19.255.255",
                              "198.51.100.7",
                              "203.0.113.9",
                              "192.88.99.1",
                              "224.0.0.1",
                              "239.255.255.255",
                              "240.0.0.1",
                              "255.255.255.255",
                              "::",
                              "::1",
                              "fe80::1",
                              "fec0::1",
                              "fc00::1",
                              "fd00:ec2::254",
                              "ff02::1",
                              "2001:db8::1",
                              "3fff::1",
                              "100::1",
                              "5f00::1",
                              "2001::1",
                              "2001:10::1",
                              "64:ff9b:1::1",
                              "4000::1"})
    EXPECT_TRUE(is_special_purpose_address(address)) << address;
}

TEST(SpecialPurposeAddress, HoldsForbiddenIpv4InsideOfIpv6) {
  for (const char* address :
       {"::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:10.1.2.3", "::127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:c0a8:101::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2"})
    EXPECT_TRUE(is_special_purpose_address(address)) << address;
}

TEST(SpecialPurposeAddress, LeavesPublicAddressesAlone) {
  for (const char* address :
       {"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0",
        "192.0.1.1", "198.17.255.255", "198.20.0.0", "223.255.255.255", "168.63.129.15", "2606:4700::1111", "2a00:1450::1",
        "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"})
    EXPECT_FALSE(is_special_purpose_address(address)) << address;
}

TEST(SpecialPurposeAddress, RefusesWhatItCannotRead) {
  for (const char* text :
       {"", "localhost", "127.1", "0x7f.0.0.1", "8.8.8.8 ", "fe80::1%eth0", "[2606:4700::1111]", "08.8.8.8"})
    EXPECT_TRUE(is_special_purpose_address(text)) << text;
}

TEST(AddressIn, ComparesPrefixes) {
  EXPECT_TRUE(address_in("10.1.2.3", "10.0.0.0/8"));
  EXPECT_FALSE(address_in("11.1.2.3", "10.0.0.0/8"));
  EXPECT_TRUE(address_in("192.168.1.129", "192.168.1.128/25"));
  EXPECT_FALSE(address_in("192.168.1.127", "192.168.1.128/25"));
  EXPECT_TRUE(address_in("1.2.3.4", "0.0.0.0/0"));
  EXPECT_TRUE(address_in("1.2.3.4", "1.2.3.4"));
  EXPECT_TRUE(address_in("fd00::1", "fd00::/8"));
  EXPECT_FALSE(address_in("fe00::1", "fd00::/8"));
}

TEST(AddressIn, TakesMappedAddressesForIpv4) {
  EXPECT_TRUE(address_in("::ffff:10.1.2.3", "10.0.0.0/8"));
  EXPECT_TRUE(address_in("10.1.2.3", "::ffff:10.0.0.0/104"));
}

TEST(AddressIn, KeepsTheFamiliesApart) {
  EXPECT_FALSE(address_in("1.2.3.4", "::/0"));
  EXPECT_FALSE(address_in("2606:4700::1", "0.0.0.0/0"));
}

TEST(AddressIn, IsFalseForNonsense) {
  for (const char* cidr : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0.0/8/8", "10/8",
                           "::/129", "::ffff:10.0.0.0/64"})
    EXPECT_FALSE(address_in("10.0.0.1", cidr)) << cidr;
}

}  // namespace
}  // namespace weir::policy
