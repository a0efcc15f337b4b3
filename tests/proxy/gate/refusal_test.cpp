#include "proxy/gate/refusal.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace weir::proxy {
namespace {

const Refusal kRefusal{403, "no_rule", "no rule allows GET / on a.example", "add a rule", {}};

TEST(Refusal, TellsTheAgentWhatAndHow) {
  const std::string answer = render(kRefusal, {"https", "a.example", "GET", "/", 443}, false, false);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"));
  EXPECT_NE(answer.find("x-weir-verdict: deny no_rule\r\n"), std::string::npos);
  const auto body = nlohmann::json::parse(answer.substr(answer.find("\r\n\r\n") + 4));
  EXPECT_EQ(body["weir"]["code"], "no_rule");
  EXPECT_EQ(body["weir"]["host"], "a.example");
  EXPECT_TRUE(body["weir"]["rule"].is_null());
  EXPECT_EQ(body["weir"]["how_to_allow"], "add a rule");
}

TEST(Refusal, HasTheLengthOfItsBodyAndNoBodyForHead) {
  const std::string full = render(kRefusal, {"https", "a.example", "GET", "/", 443}, false, true);
  const std::string head = render(kRefusal, {"https", "a.example", "HEAD", "/", 443}, true, true);
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
  const auto body_size = full.size() - full.find("\r\n\r\n") - 4;
  EXPECT_NE(full.find("Content-Length: " + std::to_string(body_size) + "\r\n"), std::string::npos);
  EXPECT_NE(full.find("connection: close"), std::string::npos);
}

TEST(Refusal, HostileTextsStayInert) {
  const std::string hostile = "a\r\nSet-Cookie: x=1\r\n\r\n<script>\x1b[31m\xff";
  const std::string answer = render({421, "host_mismatch", hostile, hostile, hostile}, {"https", hostile, hostile, hostile, 443}, false, false);
  const std::string head = answer.substr(0, answer.find("\r\n\r\n"));
  EXPECT_EQ(head.find("Set-Cookie"), std::string::npos);
  EXPECT_EQ(answer.find('\x1b'), std::string::npos);
  EXPECT_TRUE(nlohmann::json::accept(answer.substr(answer.find("\r\n\r\n") + 4)));
}

}  // namespace
}  // namespace weir::proxy
