#include "proxy/http1/request_target.h"

#include <gtest/gtest.h>

namespace weir::proxy {
namespace {

using Form = RequestTarget::Form;

TEST(RequestTarget, SplitsTheOriginForm) {
  const auto target = parse_request_target("GET", "/a/b?c=d?e");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->form, Form::origin);
  EXPECT_EQ(target->path, "/a/b");
  EXPECT_EQ(target->query, "?c=d?e");
  EXPECT_EQ(target->authority, "");
}

TEST(RequestTarget, SplitsTheAbsoluteForm) {
  struct {
    const char* target;
    const char* scheme;
    const char* authority;
    const char* path;
    const char* query;
  } const cases[] = {{"http://a.example/b?c", "http", "a.example", "/b", "?c"},
                     {"HTTPS://a.example:8443", "https", "a.example:8443", "/", ""},
                     {"http://a.example?q=/x", "http", "a.example", "/", "?q=/x"},
                     {"http://[::1]:80/", "http", "[::1]:80", "/", ""},
                     {"http://a.example//b", "http", "a.example", "//b", ""}};
  for (const auto& one : cases) {
    const auto target = parse_request_target("GET", one.target);
    ASSERT_TRUE(target) << one.target;
    EXPECT_EQ(target->form, Form::absolute);
    EXPECT_EQ(target->scheme, one.scheme);
    EXPECT_EQ(target->authority, one.authority);
    EXPECT_EQ(target->path, one.path);
    EXPECT_EQ(target->query, one.query);
  }
}

TEST(RequestTarget, TakesTheAuthorityFormForConnectOnly) {
  const auto target = parse_request_target("CONNECT", "a.example:443");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->form, Form::authority);
  EXPECT_EQ(target->authority, "a.example:443");
  EXPECT_FALSE(parse_request_target("GET", "a.example:443"));
}

TEST(RequestTarget, TakesTheAsteriskFormForOptionsOnly) {
  const auto target = parse_request_target("OPTIONS", "*");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->form, Form::asterisk);
  EXPECT_FALSE(parse_request_target("GET", "*"));
  EXPECT_FALSE(parse_request_target("OPTIONS", "*a"));
}

TEST(RequestTarget, TakesDoubleSlashesAsAPath) {
  const auto target = parse_request_target("GET", "//evil.example/a");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->form, Form::origin);
  EXPECT_EQ(target->path, "//evil.example/a");
}

TEST(RequestTarget, RefusesWhatIsNoTarget) {
  using std::string_view_literals::operator""sv;
  for (const auto target : {""sv,
                            "a"sv,
                            "?a"sv,
                            "/a b"sv,
                            "/a\tb"sv,
                            "/a\r\nb"sv,
                            "/a\0b"sv,
                            "/a#b"sv,
                            "#"sv,
                            "/\x7f"sv,
                            "/\x80"sv,
                            "/\xc3\xa4"sv,
                            "/a\\b"sv,
                            "http:///a"sv,
                            "http://"sv,
                            "http://?a"sv,
                            "http://u@a/"sv,
                            "http://u:p@a/"sv,
                            "http://a:b/"sv,
                            "http://a:/"sv,
                            "http://a b/"sv,
                            "http://a\\b/"sv,
                            "http:/a"sv,
                            "http:a"sv,
                            "ftp://a/"sv,
                            "file:///etc/passwd"sv,
                            "javascript://a/"sv,
                            "://a/"sv,
                            "http://%61/"sv,
                            "http://[::1/"sv,
                            "http://[x]/"sv,
                            "http://a,b/"sv,
                            "ws://a/"sv})
    EXPECT_FALSE(parse_request_target("GET", target)) << target;
  for (const auto target : {"a"sv, "a:"sv, "a:0"sv, "a:65536"sv, "u@a:443"sv, "/a"sv, "http://a:443"sv, "*"sv, "a:443/"sv,
                            ":443"sv, "::1:443"sv, "a:+443"sv})
    EXPECT_FALSE(parse_request_target("CONNECT", target)) << target;
}

}  // namespace
}  // namespace weir::proxy
