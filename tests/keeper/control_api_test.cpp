#include "keeper/control_api.h"

#include <gtest/gtest.h>

#include "events/event.h"
#include "tests/keeper/temporary_folder.h"

namespace weir::keeper {
namespace {

using nlohmann::ordered_json;

struct ControlApiTest : ::testing::Test {
  ControlApiTest()
      : approvals({folder / "approvals", "/project", "ses_A", false},
                  {[this](std::string_view type, const ordered_json& data) -> Result<void> {
                     events.emplace_back(type, data);
                     return {};
                   },
                   [this](std::uint64_t, proxy::Verdict verdict, std::string_view) { verdicts.push_back(verdict); }, [] { return 1'700'000'000'000'000; },
                   [](const std::string&) {}}) {
    policy::Document document;
    document.rules.emplace_back().name = "writes";
    approvals.use_policy(1, document, "sha256:one");
    api.approvals = &approvals;
    api.session = "ses_A";
  }
  void ask(std::uint64_t question, const std::string& path) {
    events::Fields fields;
    fields.text("request", "req_1").text("method", "POST").text("scheme", "https").text("host", "a.example").number("port", 443).text("path", path);
    std::string message;
    proxy::put(message, question);
    proxy::put(message, std::uint32_t{1});
    proxy::put(message, std::uint32_t{0});
    ASSERT_TRUE(approvals.take_question(message + std::string(fields.bytes())));
  }
  ControlReply call(const std::string& method, const std::string& path, const std::string& body = "") {
    return api.handle({method, path, body, {42, 1000, "user tester pid 42"}});
  }
  std::string only() { return call("GET", "/v1/approvals").body["approvals"][0]["id"].get<std::string>(); }

  TemporaryFolder folder;
  std::vector<std::pair<std::string, ordered_json>> events;
  std::vector<proxy::Verdict> verdicts;
  Approvals approvals;
  ControlApi api;
};

TEST_F(ControlApiTest, ListsWhatWaits) {
  ask(1, "/x");
  ask(2, "/x");
  const auto reply = call("GET", "/v1/approvals");
  ASSERT_EQ(reply.status, 200);
  ASSERT_EQ(reply.body["approvals"].size(), 1U);
  EXPECT_EQ(reply.body["approvals"][0]["waiting"], 2);
  EXPECT_EQ(reply.body["approvals"][0]["rule"], "writes");
  EXPECT_EQ(call("GET", "/v1/session").body["approvals"], 1);
}

TEST_F(ControlApiTest, GrantsAndDeniesAndRecordsWhoDid) {
  ask(1, "/x");
  const auto reply = call("POST", "/v1/approvals/" + only(), R"({"verdict":"grant","for":"session","host":true})");
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(reply.body["verdict"], "granted");
  EXPECT_EQ(events.back().first, "approval.granted");
  EXPECT_EQ(events.back().second["by"], "user tester pid 42");
  EXPECT_EQ(events.back().second["scope"], "host");
  EXPECT_EQ(verdicts, std::vector{proxy::Verdict::granted});
}

TEST_F(ControlApiTest, ErrorsHaveACodeAndASentence) {
  ask(1, "/x");
  const std::string place = "/v1/approvals/" + only();
  for (const auto& [body, status] : std::vector<std::pair<std::string, int>>{{"", 400},
                                                                             {"[]", 400},
                                                                             {"{}", 400},
                                                                             {R"({"verdict":"yes"})", 400},
                                                                             {R"({"verdict":"grant","for":0})", 400},
                                                                             {R"({"verdict":"grant","for":"-5"})", 400},
                                                                             {R"({"verdict":"grant","for":"10m"})", 400},
                                                                             {R"({"verdict":"grant","for":604801})", 400},
                                                                             {R"({"verdict":"grant","for":1e300})", 400},
                                                                             {R"({"verdict":"grant","host":"yes"})", 400},
                                                                             {R"({"verdict":"grant","extra":1})", 400}}) {
    const auto reply = call("POST", place, body);
    EXPECT_EQ(reply.status, status) << body;
    EXPECT_TRUE(reply.body["error"]["code"].is_string()) << body;
    EXPECT_FALSE(reply.body["error"]["message"].get<std::string>().empty()) << body;
  }
  EXPECT_TRUE(verdicts.empty());
  EXPECT_EQ(call("POST", "/v1/approvals/apr_1", R"({"verdict":"grant"})").status, 404);
  EXPECT_EQ(call("POST", "/v1/approvals/", R"({"verdict":"grant"})").status, 404) << "never just the one that waits";
  EXPECT_EQ(call("GET", place).status, 405);
  EXPECT_EQ(call("DELETE", "/v1/approvals").status, 405);
  EXPECT_EQ(call("GET", "/").status, 404);
  EXPECT_EQ(call("POST", "/v1/policy/reload").status, 501);
}

TEST_F(ControlApiTest, ReloadsThroughItsHook) {
  api.reload = [](const Peer& by) -> Result<std::string> { return "sha256:" + by.description; };
  EXPECT_EQ(call("POST", "/v1/policy/reload").body["policy_hash"], "sha256:user tester pid 42");
  api.reload = [](const Peer&) -> Result<std::string> { return fail("policy_invalid", "weir.yaml:3: unknown key"); };
  const auto reply = call("POST", "/v1/policy/reload");
  EXPECT_EQ(reply.status, 409);
  EXPECT_EQ(reply.body["error"]["code"], "policy_invalid");
}

}  // namespace
}  // namespace weir::keeper
