// Questions as a proxy asks them, with a record and answers that the test can look at.
#include "keeper/approvals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "events/event.h"
#include "tests/keeper/temporary_folder.h"

namespace weir::keeper {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using nlohmann::ordered_json;
using proxy::Verdict;
constexpr std::int64_t kSecond = 1'000'000;

policy::Rule rule(const std::string& name) {
  policy::Rule made;
  made.name = name;
  made.action = policy::Action::ask;
  return made;
}

struct Answer {
  std::uint64_t question;
  Verdict verdict;
  std::string text;
};

struct ApprovalsTest : ::testing::Test {
  ApprovalsTest() { start("ses_A"); }

  void start(const std::string& session, bool deny_all = false) {
    approvals.reset();
    Approvals::Ports ports{[this](std::string_view type, const ordered_json& data) -> Result<void> {
                             if (store_full) return fail("store_full", "no space left");
                             // G3: a grant is in the record before anybody is answered.
                             answers_before_event.push_back(answers.size());
                             events.emplace_back(type, data);
                             return {};
                           },
                           [this](std::uint64_t question, Verdict verdict, std::string_view text) {
                             answers.push_back({question, verdict, std::string(text)});
                           },
                           [this] { return now; }, [](const std::string&) {}};
    approvals = std::make_unique<Approvals>(Approvals::Settings{folder / "approvals", "/project", session, deny_all}, std::move(ports));
    policy::Document document;
    document.limits.approval_seconds = 300;
    document.rules = {rule("reads"), rule("writes")};
    approvals->use_policy(1, document, "sha256:one");
  }

  static events::Fields fields(const std::string& path = "/v1/x", const std::string& request = "req_1") {
    events::Fields made;
    made.text("request", request).text("method", "POST").text("scheme", "https").text("host", "api.example.com").number("port", 443);
    made.text("path", path).number("query_bytes", 12).text("protocol", "http/1.1").text("process", "/usr/bin/curl");
    return made;
  }
  static std::string message(std::uint64_t question, std::string_view encoded, std::uint32_t generation = 1, std::uint32_t index = 1) {
    std::string bytes;
    proxy::put(bytes, question);
    proxy::put(bytes, generation);
    proxy::put(bytes, index);
    return bytes + std::string(encoded);
  }
  bool ask(std::uint64_t question, const std::string& path = "/v1/x", std::uint32_t index = 1) {
    return approvals->take_question(message(question, fields(path, "req_" + std::to_string(question)).bytes(), 1, index));
  }
  void withdraw(std::uint64_t question) {
    std::string bytes;
    proxy::put(bytes, question);
    ASSERT_TRUE(approvals->take_withdrawal(bytes));
  }
  std::vector<ordered_json> of(std::string_view type) const {
    std::vector<ordered_json> found;
    for (const auto& [kind, data] : events)
      if (kind == type) found.push_back(data);
    return found;
  }
  std::vector<std::uint64_t> answered(Verdict verdict) const {
    std::vector<std::uint64_t> found;
    for (const auto& answer : answers)
      if (answer.verdict == verdict) found.push_back(answer.question);
    return found;
  }
  // Identifiers that were made within one millisecond are in no order.
  std::string id_of(std::string_view path) {
    for (const auto& one : approvals->pending())
      if (one.pending->subject.path == path) return one.pending->id;
    ADD_FAILURE() << "nothing waits for " << path;
    return {};
  }
  std::string only() const {
    const auto pending = approvals->pending();
    EXPECT_EQ(pending.size(), 1U);
    return pending.empty() ? "" : pending[0].pending->id;
  }
  static Ruling grant(Standing::Lasts lasts = Standing::Lasts::once, std::int64_t seconds = 0, bool host = false) {
    return {true, lasts, seconds, host, "user tester pid 1"};
  }
  static Ruling deny(Standing::Lasts lasts = Standing::Lasts::once, std::int64_t seconds = 0) { return {false, lasts, seconds, false, "terminal"}; }

  TemporaryFolder folder;
  std::int64_t now = 1'700'000'000 * kSecond;
  bool store_full = false;
  std::vector<std::pair<std::string, ordered_json>> events;
  std::vector<std::size_t> answers_before_event;
  std::vector<Answer> answers;
  std::unique_ptr<Approvals> approvals;
};

TEST_F(ApprovalsTest, AQuestionIsRecordedAndWaits) {
  ASSERT_TRUE(ask(1));
  EXPECT_TRUE(answers.empty());
  const auto requested = of("approval.requested");
  ASSERT_EQ(requested.size(), 1U);
  EXPECT_EQ(requested[0]["approval"], only());
  EXPECT_EQ(requested[0]["request"], "req_1");
  EXPECT_EQ(requested[0]["rule"], "writes");
  EXPECT_EQ(requested[0]["path"], "/v1/x");
  EXPECT_TRUE(requested[0].contains("expires"));
}

TEST_F(ApprovalsTest, AGrantLetsAllThroughThatWaitForItAndIsRecordedFirst) {
  ASSERT_TRUE(ask(1) && ask(2) && ask(3, "/other"));
  EXPECT_EQ(approvals->pending().size(), 2U);
  ASSERT_TRUE(approvals->rule(id_of("/v1/x"), grant()));
  EXPECT_THAT(answered(Verdict::granted), ElementsAre(1, 2));
  const auto granted = of("approval.granted");
  ASSERT_EQ(granted.size(), 1U);
  EXPECT_EQ(granted[0]["requests"], ordered_json({"req_1", "req_2"}));
  EXPECT_EQ(granted[0]["by"], "user tester pid 1");
  EXPECT_EQ(granted[0]["for"], "once");
  EXPECT_EQ(granted[0]["scope"], "request");
  EXPECT_EQ(answers_before_event.back(), 0U);
  ASSERT_TRUE(ask(4));
  EXPECT_EQ(of("approval.requested").size(), 3U) << "once is once";
}

TEST_F(ApprovalsTest, AGrantThatCannotBeRecordedDenies) {
  ASSERT_TRUE(ask(1));
  store_full = true;
  const auto ruled = approvals->rule(only(), grant(Standing::Lasts::timed, 600));
  ASSERT_FALSE(ruled);
  EXPECT_EQ(ruled.error().code, "approval_unrecorded");
  EXPECT_THAT(answered(Verdict::denied), ElementsAre(1));
  store_full = false;
  ASSERT_TRUE(ask(2));
  EXPECT_THAT(answered(Verdict::granted), IsEmpty()) << "it does not hold either";
}

TEST_F(ApprovalsTest, AQuestionThatCannotBeRecordedIsDenied) {
  store_full = true;
  ASSERT_TRUE(ask(1));
  EXPECT_THAT(answered(Verdict::denied), ElementsAre(1));
  EXPECT_TRUE(approvals->pending().empty());
}

TEST_F(ApprovalsTest, AStandingGrantAnswersAtOnceAndEachUseIsRecorded) {
  ASSERT_TRUE(ask(1));
  ASSERT_TRUE(approvals->rule(only(), grant(Standing::Lasts::timed, 600)));
  ASSERT_TRUE(ask(2) && ask(3));
  EXPECT_THAT(answered(Verdict::granted), ElementsAre(1, 2, 3));
  const auto granted = of("approval.granted");
  ASSERT_EQ(granted.size(), 3U);
  EXPECT_EQ(granted[2]["by"], "standing");
  EXPECT_EQ(granted[2]["requests"], ordered_json({"req_3"}));
  EXPECT_EQ(granted[2]["for"], "600s");
  store_full = true;
  ASSERT_TRUE(ask(4));
  EXPECT_THAT(answered(Verdict::denied), ElementsAre(4)) << "SECURITY: G3";
  store_full = false;
  now += 600 * kSecond;
  ASSERT_TRUE(ask(5));
  EXPECT_EQ(approvals->pending().size(), 1U);
}

TEST_F(ApprovalsTest, AGrantForTheHostLetsEverythingThroughThatTheRuleAsksAboutThere) {
  ASSERT_TRUE(ask(1, "/a") && ask(2, "/b") && ask(3, "/c", proxy::kNoRule));
  ASSERT_TRUE(approvals->rule(id_of("/a"), grant(Standing::Lasts::session, 0, true)));
  EXPECT_THAT(answered(Verdict::granted), ElementsAre(1, 2));
  EXPECT_EQ(only(), approvals->pending()[0].pending->id) << "what the policy's default asks about is not of that rule";
  ASSERT_TRUE(ask(4, "/d"));
  EXPECT_THAT(answered(Verdict::granted), ElementsAre(1, 2, 4));
}

TEST_F(ApprovalsTest, AGrantForTheHostWithoutATimeIsForThoseWhoWait) {
  ASSERT_TRUE(ask(1, "/a") && ask(2, "/b"));
  ASSERT_TRUE(approvals->rule(id_of("/a"), grant(Standing::Lasts::once, 0, true)));
  EXPECT_THAT(answered(Verdict::granted), ElementsAre(1, 2));
  ASSERT_TRUE(ask(3, "/c"));
  EXPECT_EQ(approvals->pending().size(), 1U);
}

TEST_F(ApprovalsTest, ADenialAnswersAllWhoWaitAndALongerOneHolds) {
  ASSERT_TRUE(ask(1) && ask(2));
  ASSERT_TRUE(approvals->rule("", deny()));
  EXPECT_THAT(answered(Verdict::denied), ElementsAre(1, 2));
  ASSERT_TRUE(ask(3));
  ASSERT_TRUE(approvals->rule(only(), deny(Standing::Lasts::timed, 60)));
  ASSERT_TRUE(ask(4));
  EXPECT_THAT(answered(Verdict::denied), ElementsAre(1, 2, 3, 4));
  EXPECT_TRUE(approvals->pending().empty());
  EXPECT_EQ(of("approval.denied").size(), 3U);
}

TEST_F(ApprovalsTest, WhatNobodyDecidesExpires) {
  ASSERT_TRUE(ask(1) && ask(2));
  now += 299 * kSecond;
  approvals->pass_time();
  EXPECT_TRUE(answers.empty());
  EXPECT_EQ(approvals->next_deadline(), now + kSecond);
  now += kSecond;
  approvals->pass_time();
  EXPECT_THAT(answered(Verdict::expired), ElementsAre(1, 2));
  const auto expired = of("approval.expired");
  ASSERT_EQ(expired.size(), 1U);
  EXPECT_EQ(expired[0]["by"], "time");
  EXPECT_EQ(expired[0]["requests"], ordered_json({"req_1", "req_2"}));
  EXPECT_FALSE(approvals->next_deadline());
}

TEST_F(ApprovalsTest, AGrantForAClientThatHasGivenUpHoldsForItsNextTryOnce) {
  ASSERT_TRUE(ask(1));
  withdraw(1);
  EXPECT_EQ(approvals->pending()[0].waiting, 0U);
  ASSERT_TRUE(approvals->rule(only(), grant()));
  EXPECT_TRUE(answers.empty()) << "nobody waits";
  ASSERT_TRUE(ask(2));
  EXPECT_THAT(answered(Verdict::granted), ElementsAre(2));
  ASSERT_TRUE(ask(3));
  EXPECT_EQ(approvals->pending().size(), 1U);
}

TEST_F(ApprovalsTest, AGrantForAClientThatHasGivenUpIsForgottenAfterTenMinutes) {
  ASSERT_TRUE(ask(1));
  withdraw(1);
  ASSERT_TRUE(approvals->rule(only(), grant()));
  now += 600 * kSecond;
  ASSERT_TRUE(ask(2));
  EXPECT_TRUE(answers.empty());
}

TEST_F(ApprovalsTest, AClientThatComesBackWaitsForTheSameApproval) {
  ASSERT_TRUE(ask(1));
  withdraw(1);
  ASSERT_TRUE(ask(2));
  EXPECT_EQ(approvals->pending().size(), 1U);
  ASSERT_TRUE(approvals->rule("", grant()));
  EXPECT_THAT(answered(Verdict::granted), ElementsAre(2));
}

TEST_F(ApprovalsTest, AUniqueBeginningOfTheIdentifierIsEnough) {
  ASSERT_TRUE(ask(1, "/a") && ask(2, "/b"));
  const std::string first = id_of("/a");
  EXPECT_EQ(approvals->rule("", grant()).error().code, "approval_ambiguous");
  EXPECT_EQ(approvals->rule("apr_", grant()).error().code, "approval_ambiguous");
  EXPECT_EQ(approvals->rule("apr_ZZZ", grant()).error().code, "approval_unknown");
  ASSERT_TRUE(approvals->rule(first.substr(4, 22), grant()));
  EXPECT_THAT(answered(Verdict::granted), ElementsAre(1));
  EXPECT_EQ(approvals->rule(first, grant()).error().code, "approval_unknown");
}

TEST_F(ApprovalsTest, ARestartKeepsWhatWaitsAndWhatHolds) {
  ASSERT_TRUE(ask(1, "/granted"));
  ASSERT_TRUE(approvals->rule("", grant(Standing::Lasts::timed, 600)));
  ASSERT_TRUE(ask(2, "/waits"));
  const std::string waiting = only();
  start("ses_B");
  answers.clear();
  const auto requested = of("approval.requested");
  ASSERT_EQ(requested.size(), 3U);
  EXPECT_EQ(requested[2]["restored"], true);
  ASSERT_TRUE(ask(1, "/granted"));
  EXPECT_THAT(answered(Verdict::granted), ElementsAre(1));
  ASSERT_TRUE(approvals->rule(waiting, grant()));
  ASSERT_TRUE(ask(2, "/waits"));
  EXPECT_THAT(answered(Verdict::granted), ElementsAre(1, 2));
}

TEST_F(ApprovalsTest, AGrantUnderOnePolicyTextSaysNothingUnderAnother) {
  ASSERT_TRUE(ask(1));
  ASSERT_TRUE(approvals->rule("", grant(Standing::Lasts::session)));
  policy::Document document;
  document.rules = {rule("reads"), rule("writes")};
  approvals->use_policy(2, document, "sha256:two");
  answers.clear();
  ASSERT_TRUE(approvals->take_question(message(7, fields().bytes(), 2)));
  EXPECT_TRUE(answers.empty());
  ASSERT_TRUE(approvals->take_question(message(8, fields().bytes(), 1)));
  EXPECT_THAT(answered(Verdict::granted), ElementsAre(8));
  approvals->release_policy(1);
  EXPECT_FALSE(approvals->take_question(message(9, fields().bytes(), 1)));
  approvals->use_policy(3, document, "sha256:one");
  ASSERT_TRUE(approvals->take_question(message(10, fields().bytes(), 3)));
  EXPECT_THAT(answered(Verdict::granted), ElementsAre(8, 10)) << "the first text is in force again";
}

TEST_F(ApprovalsTest, NobodyIsAskedWhereNobodyIsToBeAsked) {
  start("ses_A", true);
  ASSERT_TRUE(ask(1));
  EXPECT_THAT(answered(Verdict::denied), ElementsAre(1));
  EXPECT_THAT(answers[0].text, HasSubstr("--approvals=deny"));
}

TEST_F(ApprovalsTest, TooManyThatWaitAreDenied) {
  for (std::uint64_t i = 0; i < Approvals::kMaxPending; ++i) ASSERT_TRUE(ask(i, "/" + std::to_string(i)));
  EXPECT_TRUE(answers.empty());
  ASSERT_TRUE(ask(5000, "/one-more"));
  EXPECT_THAT(answered(Verdict::denied), ElementsAre(5000));
  EXPECT_THAT(answers[0].text, HasSubstr("too many"));
  ASSERT_TRUE(ask(5001, "/7"));
  EXPECT_EQ(answers.size(), 1U) << "one that waits already may be waited for by more";
  for (std::uint64_t i = 6000; i < 6000 + Approvals::kMaxQuestions; ++i) ASSERT_TRUE(ask(i, "/7"));
  EXPECT_GT(answers.size(), 1U);
}

TEST_F(ApprovalsTest, MessagesThatNoProxySendsAreTold) {
  EXPECT_FALSE(approvals->take_question(""));
  EXPECT_FALSE(approvals->take_question(message(1, fields().bytes(), 2))) << "a generation that never was";
  EXPECT_FALSE(approvals->take_question(message(1, fields().bytes(), 1, 2))) << "a rule that the policy has not";
  EXPECT_FALSE(approvals->take_question(message(1, "garbage")));
  EXPECT_FALSE(approvals->take_question(message(1, ""))) << "no fields";
  events::Fields wrong;
  wrong.number("request", 7);
  EXPECT_FALSE(approvals->take_question(message(1, wrong.bytes())));
  events::Fields port;
  port.text("request", "r").text("scheme", "https").text("host", "h").number("port", 65536);
  EXPECT_FALSE(approvals->take_question(message(1, port.bytes())));
  events::Fields scheme;
  scheme.text("request", "r").text("scheme", "ftp").text("host", "h");
  EXPECT_FALSE(approvals->take_question(message(1, scheme.bytes())));
  ASSERT_TRUE(ask(1));
  EXPECT_FALSE(ask(1)) << "a number that waits already";
  EXPECT_FALSE(approvals->take_withdrawal("1234567"));
  EXPECT_FALSE(approvals->take_withdrawal("123456789"));
}

TEST_F(ApprovalsTest, WhatCannotBeShownWholeIsDeniedRatherThanMistaken) {
  ASSERT_TRUE(ask(1, std::string(9000, 'a')));
  ASSERT_TRUE(ask(2, "/\x9b"));
  ASSERT_TRUE(ask(3, "/\uFFFD<9b>"));
  EXPECT_THAT(answered(Verdict::denied), ElementsAre(1, 2, 3));
  EXPECT_TRUE(approvals->pending().empty());
}

TEST_F(ApprovalsTest, TunnelsAreAskedAboutToo) {
  events::Fields tunnel;
  tunnel.text("request", "req_9").text("scheme", "tcp").text("host", "db.internal.example").number("port", 5432);
  ASSERT_TRUE(approvals->take_question(message(1, tunnel.bytes())));
  ASSERT_TRUE(approvals->rule("", grant()));
  EXPECT_THAT(answered(Verdict::granted), ElementsAre(1));
}

}  // namespace
}  // namespace weir::keeper
