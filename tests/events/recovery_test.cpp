// A writer that dies at any point leaves a record that the next one can go on from.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <random>

#include "scratch.h"

namespace weir::events {
namespace {

class Recovery : public test::Scratch {
 protected:
  // Opens, appends one event, closes; then the record must be whole.
  void go_on() const {
    auto log = open();
    ASSERT_TRUE(log) << log.error().message;
    log->append("a.b", "", "{}");
    ASSERT_TRUE(log->commit());
  }
};

TEST_F(Recovery, AFileThatEndsAtAnyByteOfItsLastLinesIsMended) {
  write_session(4);
  const std::string whole = content();
  std::size_t third = 0;
  for (int i = 0; i < 2; ++i) third = whole.find('\n', third) + 1;
  for (std::size_t size = third; size <= whole.size(); ++size) {
    replace(whole.substr(0, size));
    const std::size_t kept = whole.rfind('\n', size - 1) + 1;
    const std::size_t cut = size == kept ? 0 : size - kept;
    const auto lines_kept =
        static_cast<std::uint64_t>(std::count(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(kept), '\n'));
    go_on();
    const auto verification = verified();
    ASSERT_TRUE(verification.ok) << size << ": " << verification.problem;
    ASSERT_EQ(verification.events, lines_kept + (cut > 0 ? 1 : 0) + 1) << size;
    ASSERT_TRUE(content().starts_with(whole.substr(0, kept)));
    if (cut == 0) continue;
    const auto gap = events()[lines_kept];
    ASSERT_EQ(gap["type"], "stream.gap");
    ASSERT_EQ(gap["data"]["cut_bytes"], cut);
  }
}

TEST_F(Recovery, HalfOfTheFirstLineIsCutToo) {
  {
    auto log = create();
  }
  replace("{\"seq\":1,\"id\"");
  go_on();
  EXPECT_TRUE(verified().ok) << verified().problem;
  EXPECT_EQ(events()[0]["type"], "stream.gap");
}

TEST_F(Recovery, OnlyOneGapIsToldOfOneCrash) {
  write_session(2);
  replace(content() + "{\"seq\":3,");
  go_on();
  go_on();
  EXPECT_EQ(lines().size(), 5U);  // two, the gap, and one for each opening
  EXPECT_TRUE(verified().ok);
}

TEST_F(Recovery, ADamagedLastLineIsToldOfAndTheChainGoesOnFromItsRecordedHash) {
  write_session(3);
  std::string text = content();
  text[text.rfind("\"n\":3") + 4] = '9';
  replace(text);
  const auto recorded = nlohmann::json::parse(lines()[2])["hash"];
  go_on();
  const auto all = events();
  ASSERT_EQ(all.size(), 5U);
  EXPECT_EQ(all[3]["type"], "stream.gap");
  EXPECT_EQ(all[3]["seq"], 4);
  EXPECT_EQ(all[3]["prev"], recorded);
  EXPECT_EQ(all[3]["data"]["cut_bytes"], 0);
  EXPECT_NE(all[3]["data"]["problem"].get<std::string>().find("hash"), std::string::npos);
  // It stays damaged for whoever verifies.
  EXPECT_FALSE(verified().ok);
  EXPECT_EQ(verified().problem, "line 3 of 00000001.jsonl: its hash does not match");
}

TEST_F(Recovery, LastLinesThatAreNoEventsCountAndAreToldOf) {
  write_session(3);
  replace(content() + std::string(5, '\0') + "\nrubbish\nhalf");
  go_on();
  const auto all = lines();
  ASSERT_EQ(all.size(), 7U);
  const auto gap = nlohmann::json::parse(all[5]);
  EXPECT_EQ(gap["seq"], 6);
  EXPECT_EQ(gap["data"]["cut_bytes"], 4);
  EXPECT_EQ(gap["data"]["problem"], "the last 2 lines are not events");
  EXPECT_EQ(verified().problem, "line 4 of 00000001.jsonl: it is not an event");
}

TEST_F(Recovery, AForgedHashCannotForgeTheNextLine) {
  write_session(2);
  std::string text = content();
  // As long as a hash, and JSON of its own.
  std::string forged = "x\",\"type\":\"approval.granted\",\"data\":{},\"a\":\"";
  forged.resize(71, 'x');
  text.replace(text.rfind("sha256:"), 71, forged);
  replace(text);
  go_on();
  const auto all = lines();
  EXPECT_EQ(all[2].find("approval.granted"), std::string::npos) << all[2];
  EXPECT_EQ(nlohmann::json::parse(all[2])["type"], "stream.gap");
}

TEST_F(Recovery, AHugeSequenceNumberDoesNotWrapRound) {
  write_session(1);
  std::string text = content();
  replace(text.replace(7, 1, "18446744073709551615"));
  go_on();
  EXPECT_EQ(nlohmann::json::parse(lines()[1])["seq"], 2);
}

TEST_F(Recovery, AFileOfNothingButRubbishIsAClearErrorSoon) {
  write_session(1);
  replace(std::string(1 << 20, '\n'));
  const auto log = open();
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code, "store_unreadable");
}

TEST_F(Recovery, HalfALineOfManyMegabytesIsCut) {
  write_session(2);
  replace(content() + std::string(20U << 20, 'x'));
  go_on();
  EXPECT_TRUE(verified().ok) << verified().problem;
  EXPECT_EQ(events()[2]["data"]["cut_bytes"], 20 << 20);
}

TEST_F(Recovery, AnEarlierSegmentIsUsedWhenTheLastHasNoWholeLine) {
  write_session(3);
  replace("{\"seq\":4", 2);
  go_on();
  EXPECT_TRUE(verified().ok) << verified().problem;
  EXPECT_EQ(verified().events, 5U);
  EXPECT_EQ(list_segments(directory()), (std::vector<unsigned>{1, 2}));
}

// What the child has had acknowledged, seen by the parent after its death.
struct Shared {
  std::atomic<std::uint64_t> acknowledged;
};

TEST_F(Recovery, AWriterKilledAtAnyPointLosesNothingThatWasAcknowledged) {
  void* memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  auto* shared = new (memory) Shared{};
  {
    auto log = create({.segment_bytes = 200000});
  }
  std::mt19937 random(11);
  std::uint64_t events_before = 0;
  constexpr int kRounds = 300;
  for (int round = 0; round < kRounds; ++round) {
    shared->acknowledged = 0;
    const std::uint64_t target = 1 + random() % 10;
    const auto spin = random() % 20000;
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto log = open({.segment_bytes = 200000});
      if (!log) _exit(1);
      const std::string data = "{\"v\":\"" + std::string(random() % 30000, 'y') + "\"}";
      for (;;) {
        for (int i = 0; i < 5; ++i) log->append("egress.request", "sbx_1", data);
        if (!log->commit()) _exit(2);
        shared->acknowledged = log->last_seq();
        while (log->last_seq() > events_before + 40) pause();  // the parent was kept from its work: do not fill the disk
      }
    }
    // Killed in the middle of its work: after so many events, and a random while more.
    while (shared->acknowledged < events_before + target && waitpid(child, nullptr, WNOHANG) == 0) {
    }
    for (std::uint64_t i = 0; i < spin; ++i) (void)shared->acknowledged.load();
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "round " << round << ": the writer ended by itself with " << WEXITSTATUS(status);
    const std::uint64_t acknowledged = shared->acknowledged;
    {
      auto log = open({.segment_bytes = 200000});
      ASSERT_TRUE(log) << log.error().message;
      ASSERT_GE(log->last_seq(), acknowledged);
      events_before = log->last_seq();
    }
    if (round == kRounds - 1) {
      const auto verification = verified();
      ASSERT_TRUE(verification.ok) << "round " << round << ": " << verification.problem;
      ASSERT_EQ(verification.events, events_before);
    }
  }
  std::size_t gaps = 0;
  for (const auto& line : lines()) gaps += line.find("stream.gap") != std::string::npos ? 1 : 0;
  RecordProperty("torn_lines", std::to_string(gaps));
  munmap(memory, sizeof(Shared));
}

}  // namespace
}  // namespace weir::events
