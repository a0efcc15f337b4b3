#include "proxy/http1/host_port.h"

#include <gtest/gtest.h>

namespace weir::proxy {
namespace {

TEST(HostPort, SplitsNamesAndAddresses) {
  struct {
    const char* text;
    HostPort parts;
  } const cases[] = {{"a.example", {"a.example", {}}},
                     {"a.example:1", {"a.example", 1}},
                     {"A_b-c.example.:65535", {"A_b-c.example.", 65535}},
                     {"1.2.3.4:80", {"1.2.3.4", 80}},
                     {"[::1]", {"::1", {}}},
                     {"[2001:db8::1]:443", {"2001:db8::1", 443}},
                     {"[::ffff:1.2.3.4]", {"::ffff:1.2.3.4", {}}},
                     {"a:080", {"a", 80}}};
  for (const auto& one : cases) {
    const auto parts = split_host_port(one.text);
    ASSERT_TRUE(parts) << one.text;
    EXPECT_EQ(*parts, one.parts) << one.text;
  }
}

TEST(HostPort, RefusesTheRest) {
  using std::string_view_literals::operator""sv;
  for (const auto text : {""sv,          ":"sv,    ":80"sv,     "a:"sv,     "a:0"sv,          "a:65536"sv,    "a:000080"sv,
                          "a:+1"sv,      "a:-1"sv, "a: 1"sv,    "a:1 "sv,   " a"sv,           "a b"sv,        "a@b"sv,
                          "a/b"sv,       "a,b"sv,  "a%41"sv,    "a\0b"sv,   "\xc3\xa4"sv,     "::1"sv,        "[]"sv,
                          "[::1"sv,      "::1]"sv, "[::1]x"sv,  "[::1]:"sv, "[::1%25eth0]"sv, "[::1%eth0]"sv, "[v1.a]"sv,
                          "[1.2.3.4]"sv, "[a]"sv,  "[[::1]]"sv, "a:1:2"sv,  "a]"sv,           "*"sv,          "*.a"sv,
                          "[::1\0]"sv})
    EXPECT_FALSE(split_host_port(text)) << text;
  EXPECT_FALSE(split_host_port(std::string(256, 'a')));
}

}  // namespace
}  // namespace weir::proxy
