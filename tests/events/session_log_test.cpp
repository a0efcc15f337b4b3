// Appending, committing, rotating, one writer at a time.
#include "events/session_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <regex>
#include <set>
#include <thread>

#include "base/ids.h"
#include "scratch.h"

namespace weir::events {
namespace {

using test::code_of;

class SessionLogTest : public test::Scratch {};

TEST_F(SessionLogTest, ALineHasItsKeysInTheDocumentedOrder) {
  auto log = create();
  EXPECT_EQ(log.append("egress.request", "sbx_1", R"({"host":"api.example"})"), 1U);
  ASSERT_TRUE(log.commit());
  static const std::regex kLine(
      R"re(\{"seq":1,"id":"evt_[0-9A-HJKMNP-TV-Z]{26}","ts":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z","session":"ses_test","sandbox":"sbx_1",)re"
      R"re("type":"egress\.request","data":\{"host":"api\.example"\},"prev":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",)re"
      R"re("hash":"sha256:[0-9a-f]{64}"\})re");
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_TRUE(std::regex_match(lines()[0], kLine)) << lines()[0];
}

TEST_F(SessionLogTest, AnEmptySandboxIsLeftOut) {
  auto log = create();
  log.append("policy.loaded", "", "{}");
  ASSERT_TRUE(log.commit());
  EXPECT_FALSE(events()[0].contains("sandbox"));
  EXPECT_TRUE(verified().ok);
}

TEST_F(SessionLogTest, NothingIsWrittenBeforeTheCommit) {
  auto log = create();
  log.append("a.b", "", "{}");
  EXPECT_EQ(content(), "");
  EXPECT_EQ(log.last_seq(), 0U);
  ASSERT_TRUE(log.commit());
  EXPECT_EQ(log.last_seq(), 1U);
  EXPECT_EQ(lines().size(), 1U);
}

TEST_F(SessionLogTest, ACommitOfNothingWritesNothing) {
  auto log = create();
  EXPECT_TRUE(log.commit());
  EXPECT_EQ(content(), "");
}

TEST_F(SessionLogTest, IdsAreUniqueWellFormedAndInOrder) {
  auto log = create();
  for (int i = 0; i < 3000; ++i) log.append("a.b", "", "{}");
  ASSERT_TRUE(log.commit());
  std::string before;
  for (const auto& event : events()) {
    const std::string id = event["id"];
    EXPECT_TRUE(is_id(id, "evt"));
    EXPECT_NE(id, before);
    before = id;
  }
  std::set<std::string> ids;
  for (const auto& event : events()) ids.insert(event["id"].get<std::string>());
  EXPECT_EQ(ids.size(), 3000U);
}

TEST_F(SessionLogTest, TimesDoNotGoBackwards) {
  auto log = create();
  for (int i = 0; i < 2000; ++i) log.append("a.b", "", "{}");
  ASSERT_TRUE(log.commit());
  std::string before;
  for (const auto& event : events()) {
    EXPECT_GE(event["ts"].get<std::string>(), before);
    before = event["ts"];
  }
}

TEST_F(SessionLogTest, TheFolderAndItsFilesAreTheOwnersAlone) {
  const auto umask_before = umask(0);
  write_session(1);
  umask(umask_before);
  struct stat status{};
  ASSERT_EQ(stat(directory().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
  for (const auto& file : {segment(), directory() + "/lock"}) {
    ASSERT_EQ(stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U) << file;
  }
}

TEST_F(SessionLogTest, ASecondWriterIsRefused) {
  auto log = create();
  EXPECT_EQ(code_of(open()), "session_locked");
  EXPECT_TRUE(has_writer(directory()));
}

TEST_F(SessionLogTest, ASecondWritingProcessIsRefusedUntilTheFirstIsGone) {
  int up[2];
  ASSERT_EQ(pipe(up), 0);
  const pid_t child = fork();
  if (child == 0) {
    auto log = create();
    log.append("a.b", "", "{}");
    const bool written = log.commit().has_value();
    (void)!write(up[1], "x", 1);
    pause();
    _exit(written ? 0 : 1);
  }
  char ready = 0;
  ASSERT_EQ(read(up[0], &ready, 1), 1);
  EXPECT_EQ(code_of(open()), "session_locked");
  EXPECT_TRUE(has_writer(directory()));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_FALSE(has_writer(directory()));
  EXPECT_TRUE(open());
  close(up[0]);
  close(up[1]);
}

TEST_F(SessionLogTest, AskingForAWriterIsNeverInAWritersWay) {
  {
    auto log = create();
  }
  std::atomic<bool> stop{false};
  std::thread asking([&] {
    while (!stop) (void)has_writer(directory());
  });
  for (int i = 0; i < 500; ++i) EXPECT_TRUE(open());
  stop = true;
  asking.join();
}

TEST_F(SessionLogTest, ASessionIsNotMadeTwice) {
  {
    auto log = create();
  }
  EXPECT_EQ(code_of(SessionLog::create(root_, kSession)), "session_exists");
  EXPECT_TRUE(open());
}

TEST_F(SessionLogTest, NamesThatAreNoNamesAreRefused) {
  for (const char* bad : {"", ".", "..", "../x", "a/b", "a\"b", "a\nb", "a b", "é"}) {
    EXPECT_EQ(code_of(SessionLog::create(root_, bad)), "session_name") << bad;
    EXPECT_EQ(code_of(SessionLog::open(root_, bad)), "session_name") << bad;
  }
}

TEST_F(SessionLogTest, ASessionThatIsNotThereCannotBeOpened) {
  EXPECT_EQ(code_of(open()), "session_missing");
  EXPECT_FALSE(std::filesystem::exists(directory()));
}

TEST_F(SessionLogTest, DataThatCouldForgeALineIsAMistakeOfTheCallers) {
  auto log = create();
  for (const char* bad : {"", "[]", "1", "{}\n", "{\n}", "{}\n{}"})
    EXPECT_THROW(log.append("a.b", "", bad), std::invalid_argument) << bad;
  for (const char* bad : {"", "a", "a.b\",\"x\":\"", "a.\n"})
    EXPECT_THROW(log.append(bad, "", "{}"), std::invalid_argument) << bad;
  log.append("a.b", "sb\"x\n", "{}");
  ASSERT_TRUE(log.commit());
  EXPECT_TRUE(verified().ok) << verified().problem;
  EXPECT_EQ(events()[0]["sandbox"], "sb\"x\n");
}

TEST_F(SessionLogTest, ItGoesOnWhereItEnded) {
  write_session(3);
  {
    auto log = open();
    ASSERT_TRUE(log);
    EXPECT_EQ(log->last_seq(), 3U);
    EXPECT_EQ(log->append("a.b", "", "{}"), 4U);
    ASSERT_TRUE(log->commit());
  }
  EXPECT_TRUE(verified().ok);
  EXPECT_EQ(verified().events, 4U);
}

TEST_F(SessionLogTest, ASessionThatNeverHadAnEventCanGoOn) {
  {
    auto log = create();
  }
  auto log = open();
  ASSERT_TRUE(log);
  EXPECT_EQ(log->append("a.b", "", "{}"), 1U);
  ASSERT_TRUE(log->commit());
  EXPECT_TRUE(verified().ok);
}

TEST_F(SessionLogTest, AWholeCommitIsInOneSegmentAndTheNextBeginsAnother) {
  auto log = create({.segment_bytes = 2000});
  for (int commit = 0; commit < 5; ++commit) {
    for (int i = 0; i < 10; ++i) log.append("a.b", "", "{}");
    ASSERT_TRUE(log.commit());
  }
  EXPECT_EQ(list_segments(directory()), (std::vector<unsigned>{1, 2, 3, 4, 5}));
  EXPECT_TRUE(verified().ok) << verified().problem;
  EXPECT_EQ(verified().events, 50U);
  for (unsigned number = 1; number <= 5; ++number) EXPECT_EQ(std::ranges::count(content(number), '\n'), 10);
}

TEST_F(SessionLogTest, ItGoesOnAfterARotationThatWasNotWrittenToYet) {
  write_session(3);
  replace("", 2);
  auto log = open();
  ASSERT_TRUE(log);
  EXPECT_EQ(log->append("a.b", "", "{}"), 4U);
  ASSERT_TRUE(log->commit());
  EXPECT_EQ(lines().size(), 4U);
  EXPECT_TRUE(verified().ok) << verified().problem;
}

TEST_F(SessionLogTest, ALargeCommitIsWhole) {
  auto log = create();
  const std::string data = "{\"v\":\"" + std::string(1 << 20, 'x') + "\"}";
  for (int i = 0; i < 8; ++i) log.append("a.b", "", data);
  ASSERT_TRUE(log.commit());
  EXPECT_TRUE(verified().ok) << verified().problem;
  EXPECT_EQ(verified().events, 8U);
}

TEST_F(SessionLogTest, SyncsOnAnotherThreadWhileEventsAreWrittenAndSegmentsChange) {
  auto log = create({.segment_bytes = 4000});
  std::atomic<bool> stop{false};
  std::atomic<int> failures{0};
  std::thread syncing([&] {
    while (!stop)
      if (!log.sync()) ++failures;
  });
  for (int i = 0; i < 3000; ++i) {
    log.append("egress.request", "sbx_1", R"({"host":"api.example","port":443})");
    if (i % 3 == 0 && !log.commit()) ++failures;
  }
  EXPECT_TRUE(log.commit());
  stop = true;
  syncing.join();
  EXPECT_EQ(failures, 0);
  EXPECT_TRUE(verified().ok) << verified().problem;
  EXPECT_EQ(verified().events, 3000U);
  EXPECT_GT(list_segments(directory()).size(), 50U);
}

TEST_F(SessionLogTest, MovingALogKeepsItsPlace) {
  auto first = create();
  first.append("a.b", "", "{}");
  SessionLog second(std::move(first));
  second.append("a.b", "", "{}");
  ASSERT_TRUE(second.commit());
  EXPECT_EQ(second.last_seq(), 2U);
  EXPECT_EQ(second.session(), kSession);
  EXPECT_TRUE(verified().ok);
}

}  // namespace
}  // namespace weir::events
