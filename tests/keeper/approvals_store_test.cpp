#include "keeper/approvals_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "base/file.h"
#include "base/ids.h"
#include "tests/keeper/temporary_folder.h"

namespace weir::keeper {
namespace {

namespace fs = std::filesystem;
constexpr std::int64_t kSecond = 1'000'000;

struct ApprovalStoreTest : ::testing::Test {
  ApprovalStore open(const std::string& session = "ses_A", const std::string& policy = "sha256:one", const std::string& project = "/project") {
    auto store = ApprovalStore::open({folder / "approvals", project, policy, session}, [this] { return now; });
    EXPECT_TRUE(store.has_value());
    return std::move(*store);
  }
  static Subject post(const std::string& path = "/v1/x") {
    Subject subject;
    subject.rule = 3;
    subject.rule_name = "writes";
    subject.scheme = "https";
    subject.method = "POST";
    subject.host = "api.example.com";
    subject.port = 443;
    subject.path = path;
    subject.protocol = "http/1.1";
    return subject;
  }
  Standing grant(Standing::Lasts lasts, std::int64_t seconds = 600, const std::string& session = "ses_A") const {
    Standing standing;
    standing.id = make_id("apr");
    standing.subject = post();
    standing.granted = true;
    standing.lasts = lasts;
    standing.seconds = seconds;
    standing.expires_us = now + seconds * kSecond;
    standing.session = session;
    return standing;
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder / "approvals", error)) names.push_back(entry.path().string());
    return names;
  }
  TemporaryFolder folder;
  std::int64_t now = 1'700'000'000 * kSecond;
};

TEST_F(ApprovalStoreTest, MakesNoFileWhileThereIsNothingToKeep) {
  auto store = open();
  EXPECT_EQ(store.standing_for(post()), nullptr);
  EXPECT_TRUE(files().empty());
}

TEST_F(ApprovalStoreTest, AGrantForATimeHoldsForTheSameRequestUntilItsEnd) {
  auto store = open();
  ASSERT_TRUE(store.keep(grant(Standing::Lasts::timed, 600)));
  ASSERT_NE(store.standing_for(post()), nullptr);
  EXPECT_EQ(store.standing_for(post("/v1/y")), nullptr);
  now += 599 * kSecond;
  EXPECT_NE(store.standing_for(post()), nullptr);
  now += kSecond;
  EXPECT_EQ(store.standing_for(post()), nullptr);
}

TEST_F(ApprovalStoreTest, EveryPartOfTheSubjectCounts) {
  auto store = open();
  ASSERT_TRUE(store.keep(grant(Standing::Lasts::timed)));
  for (auto change : std::vector<void (*)(Subject&)>{
           [](Subject& s) { s.rule = 4; }, [](Subject& s) { s.rule_name = "other"; }, [](Subject& s) { s.scheme = "http"; },
           [](Subject& s) { s.method = "PUT"; }, [](Subject& s) { s.host = "api2.example.com"; }, [](Subject& s) { s.port = 8443; },
           [](Subject& s) { s.path = "/v1/x/"; }, [](Subject& s) { s.protocol = "websocket"; }, [](Subject& s) { s.operation = "mutation"; },
           [](Subject& s) { s.operation_name = "delete"; }}) {
    Subject other = post();
    change(other);
    EXPECT_EQ(store.standing_for(other), nullptr);
  }
}

TEST_F(ApprovalStoreTest, AHostWideGrantCoversWhatTheSameRuleAsksAboutOnThatHost) {
  auto store = open();
  auto wide = grant(Standing::Lasts::session);
  wide.host_wide = true;
  ASSERT_TRUE(store.keep(wide));
  Subject other = post("/v2");
  other.method = "DELETE";
  EXPECT_NE(store.standing_for(other), nullptr);
  other.rule = 4;
  EXPECT_EQ(store.standing_for(other), nullptr);
  other = post();
  other.host = "example.com";
  EXPECT_EQ(store.standing_for(other), nullptr);
}

TEST_F(ApprovalStoreTest, ADenialComesBeforeAGrant) {
  auto store = open();
  auto wide = grant(Standing::Lasts::session);
  wide.host_wide = true;
  ASSERT_TRUE(store.keep(wide));
  auto denial = grant(Standing::Lasts::timed);
  denial.granted = false;
  ASSERT_TRUE(store.keep(denial));
  ASSERT_NE(store.standing_for(post()), nullptr);
  EXPECT_FALSE(store.standing_for(post())->granted);
  EXPECT_TRUE(store.standing_for(post("/else"))->granted);
}

TEST_F(ApprovalStoreTest, AGrantForATimeHoldsForTheNextSessionOfTheProject) {
  { ASSERT_TRUE(open("ses_A").keep(grant(Standing::Lasts::timed, 600))); }
  now += 100 * kSecond;
  auto next = open("ses_B");
  EXPECT_NE(next.standing_for(post()), nullptr);
  EXPECT_EQ(files().size(), 1U) << "what the ended keeper left has been taken over";
  now += 500 * kSecond;
  EXPECT_EQ(next.standing_for(post()), nullptr);
}

TEST_F(ApprovalStoreTest, NothingHoldsUnderAnotherPolicyTextOrInAnotherProject) {
  { ASSERT_TRUE(open("ses_A").keep(grant(Standing::Lasts::timed))); }
  EXPECT_EQ(open("ses_B", "sha256:two").standing_for(post()), nullptr);
  EXPECT_EQ(open("ses_C", "sha256:one", "/elsewhere").standing_for(post()), nullptr);
  EXPECT_NE(open("ses_D").standing_for(post()), nullptr) << "those did not take it away";
}

TEST_F(ApprovalStoreTest, ASessionsGrantHoldsForThatSessionOnly) {
  { ASSERT_TRUE(open("ses_A").keep(grant(Standing::Lasts::session))); }
  {
    auto again = open("ses_A");
    EXPECT_NE(again.standing_for(post()), nullptr);
  }
  EXPECT_EQ(open("ses_B").standing_for(post()), nullptr);
}

TEST_F(ApprovalStoreTest, WhatIsUsedUpStaysUsedUp) {
  {
    auto store = open("ses_A");
    ASSERT_TRUE(store.keep(grant(Standing::Lasts::once)));
    const auto* standing = store.standing_for(post());
    ASSERT_NE(standing, nullptr);
    ASSERT_TRUE(store.forget(*standing));
    EXPECT_EQ(store.standing_for(post()), nullptr);
  }
  EXPECT_EQ(open("ses_A").standing_for(post()), nullptr);
  EXPECT_EQ(open("ses_B").standing_for(post()), nullptr);
}

TEST_F(ApprovalStoreTest, AnUnusedGrantIsTakenOverOnce) {
  { ASSERT_TRUE(open("ses_A").keep(grant(Standing::Lasts::once))); }
  auto next = open("ses_B");
  auto third = open("ses_C");
  EXPECT_NE(next.standing_for(post()), nullptr);
  EXPECT_EQ(third.standing_for(post()), nullptr) << "ses_B runs, and has it";
}

TEST_F(ApprovalStoreTest, AKeeperBesideThisOneKeepsItsFileAndSharesWhatHoldsForATime) {
  auto first = open("ses_A");
  ASSERT_TRUE(first.keep(grant(Standing::Lasts::timed)));
  first.add(post("/waits"), "req_1", 300);
  auto second = open("ses_B");
  EXPECT_NE(second.standing_for(post()), nullptr);
  EXPECT_TRUE(second.pending().empty());
  EXPECT_EQ(first.pending().size(), 1U);
  ASSERT_TRUE(first.keep(grant(Standing::Lasts::timed)));
  EXPECT_EQ(files().size(), 2U);
}

TEST_F(ApprovalStoreTest, WhatWaitsIsThereAgainAfterARestartUntilItsTimeIsOver) {
  std::string id;
  {
    auto store = open("ses_A");
    id = store.add(post(), "req_1", 300).id;
    const auto closed = store.add(post("/closed"), "req_2", 300).id;
    store.remove(closed);
  }
  {
    auto next = open("ses_B");
    ASSERT_EQ(next.pending().size(), 1U);
    const auto* pending = next.find(std::string_view(id));
    ASSERT_NE(pending, nullptr);
    EXPECT_EQ(pending->subject, post());
    EXPECT_EQ(pending->request, "req_1");
  }
  now += 300 * kSecond;
  EXPECT_TRUE(open("ses_C").pending().empty());
}

TEST_F(ApprovalStoreTest, TakesOutWhatHasExpired) {
  auto store = open();
  store.add(post("/a"), "req_1", 10);
  store.add(post("/b"), "req_2", 20);
  EXPECT_TRUE(store.take_expired().empty());
  now += 10 * kSecond;
  ASSERT_EQ(store.take_expired().size(), 1U);
  EXPECT_EQ(store.pending().size(), 1U);
}

TEST_F(ApprovalStoreTest, ATornLastLineIsLeftOut) {
  { ASSERT_TRUE(open("ses_A").keep(grant(Standing::Lasts::timed))); }
  ASSERT_EQ(files().size(), 1U);
  { std::ofstream(files()[0], std::ios::app) << R"({"type":"standing","id":"apr_to)"; }
  {
    auto store = open("ses_A");
    EXPECT_EQ(store.standing().size(), 1U);
    auto denial = grant(Standing::Lasts::timed);
    denial.granted = false;
    ASSERT_TRUE(store.keep(denial));
  }
  EXPECT_EQ(open("ses_A").standing().size(), 2U) << "what was written behind the torn line is whole";
}

TEST_F(ApprovalStoreTest, WhatIsNoRecordGrantsNothing) {
  { ASSERT_TRUE(open("ses_A").keep(grant(Standing::Lasts::timed))); }
  const auto good = *read_file(files()[0]);
  for (const std::string bad : {R"({})", R"([])", R"("x")", R"({"type":"standing"})", R"({"type":"standing","id":7})", R"({"type":1})",
                                R"({"type":"standing","id":"a","granted":true,"host_wide":true,"lasts":9,"expires_us":9e18})"}) {
    { std::ofstream(files()[0], std::ios::trunc) << bad << "\n" << good << bad; }
    EXPECT_EQ(open("ses_A").standing().size(), 1U) << bad;
  }
}

TEST_F(ApprovalStoreTest, OnlyItsUserCanReadTheJournal) {
  auto store = open();
  ASSERT_TRUE(store.keep(grant(Standing::Lasts::timed)));
  struct stat status{};
  ASSERT_EQ(stat(files()[0].c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  ASSERT_EQ(stat((folder / "approvals").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700U);
}

TEST_F(ApprovalStoreTest, TheJournalStaysSmall) {
  auto store = open();
  for (int i = 0; i < 10'000; ++i) store.remove(store.add(post(), "req", 300).id);
  EXPECT_LT(fs::file_size(files()[0]), 2U << 20);
  EXPECT_EQ(files().size(), 1U);
}

TEST_F(ApprovalStoreTest, AGrantThatCannotBeWrittenDoesNotHold) {
  { std::ofstream(folder / "approvals") << "a file where the folder should be"; }
  auto store = open();
  EXPECT_FALSE(store.keep(grant(Standing::Lasts::timed)));
  EXPECT_EQ(store.standing_for(post()), nullptr);
}

}  // namespace
}  // namespace weir::keeper
