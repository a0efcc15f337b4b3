#include "keeper/approvals_prompt.h"

#include <gtest/gtest.h>

#include "proxy/wire.h"

namespace weir::keeper {
namespace {

Pending pending() {
  Pending made;
  made.subject.rule = 1;
  made.subject.rule_name = "writes";
  made.subject.scheme = "https";
  made.subject.method = "POST";
  made.subject.host = "api.example.com";
  made.subject.port = 443;
  made.subject.path = "/v1/x";
  return made;
}

TEST(QuestionText, SaysWhatIsAskedAndByWhichRule) {
  EXPECT_TRUE(question_text(pending()).starts_with("weir: POST https://api.example.com/v1/x  (rule `writes`) — allow? [y] once, [h] this host"));
}

TEST(QuestionText, NamesWhatIsUnusual) {
  auto asked = pending();
  asked.subject.port = 8443;
  asked.subject.rule = proxy::kNoRule;
  asked.subject.operation = "mutation";
  asked.subject.operation_name = "deleteRepo";
  EXPECT_TRUE(question_text(asked).starts_with("weir: POST https://api.example.com:8443/v1/x (mutation deleteRepo)  (the policy's default)"));
  Pending tunnel;
  tunnel.subject.rule_name = "db";
  tunnel.subject.scheme = "tcp";
  tunnel.subject.host = "db.internal.example";
  tunnel.subject.port = 5432;
  EXPECT_TRUE(question_text(tunnel).starts_with("weir: tcp://db.internal.example:5432  (rule `db`)"));
}

TEST(QuestionText, NothingInItDrivesTheTerminal) {
  auto asked = pending();
  asked.subject.path = "/\x1b[2K\r\u202e\n" + std::string(5000, 'a');
  asked.subject.rule_name = "\x1b[8m";
  const std::string text = question_text(asked);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find('\r'), std::string::npos);
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_EQ(text.find("\u202e"), std::string::npos);
  EXPECT_LT(text.size(), 1200U);
  EXPECT_NE(text.find("allow? [y]"), std::string::npos) << "the question stays, however long the path";
}

}  // namespace
}  // namespace weir::keeper
