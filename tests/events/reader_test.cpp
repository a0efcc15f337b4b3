// Listing sessions, reading lines, following a session while it is written.
#include "events/reader.h"

#include <algorithm>
#include <thread>

#include "base/ids.h"
#include "base/time.h"
#include "scratch.h"

namespace weir::events {
namespace {

using test::code_of;

class Reader : public test::Scratch {};

TEST_F(Reader, ARootThatIsNotThereHasNoSessions) {
  const auto sessions = list_sessions(root_ + "/nowhere");
  ASSERT_TRUE(sessions);
  EXPECT_TRUE(sessions->empty());
}

TEST_F(Reader, SessionsComeNewestFirstWithTheTimeOfTheirMaking) {
  std::vector<std::string> made;
  const auto before = wall_clock_us() / 1000 * 1000;
  for (int i = 0; i < 5; ++i) {
    made.push_back(make_id("ses"));
    ASSERT_TRUE(SessionLog::create(root_, made.back()));
  }
  std::ranges::sort(made, std::greater<>());
  const auto sessions = list_sessions(root_);
  ASSERT_TRUE(sessions);
  ASSERT_EQ(sessions->size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ((*sessions)[i].id, made[i]);
    EXPECT_GE((*sessions)[i].started_us, before);
    EXPECT_LE((*sessions)[i].started_us, wall_clock_us());
  }
}

TEST_F(Reader, ASessionWithANameOfItsOwnHasTheTimeOfItsFirstEvent) {
  write_session(1);
  const auto sessions = list_sessions(root_);
  ASSERT_TRUE(sessions);
  ASSERT_EQ(sessions->size(), 1U);
  EXPECT_EQ(format_timestamp((*sessions)[0].started_us), events()[0]["ts"]);
}

TEST_F(Reader, WhatIsNoSessionIsNotListed) {
  std::filesystem::create_directory(root_ + "/empty");
  std::ofstream(root_ + "/file") << "x";
  EXPECT_TRUE(list_sessions(root_)->empty());
}

TEST_F(Reader, LinesComeInOrderAcrossSegments) {
  write_session(100, {.segment_bytes = 1000});
  EXPECT_GT(list_segments(directory()).size(), 10U);
  const auto all = events();
  ASSERT_EQ(all.size(), 100U);
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i]["seq"], i + 1);
}

TEST_F(Reader, ASessionThatIsNotThereHasNoLinesYet) {
  LineReader reader(directory());
  EXPECT_EQ(code_of(reader.next()), "end");
  write_session(1);
  EXPECT_TRUE(reader.next());
}

TEST_F(Reader, AHalfWrittenLineIsNotGivenUntilItIsWhole) {
  write_session(2);
  const std::string whole = content();
  const auto first = whole.find('\n') + 1;
  replace(whole.substr(0, first + 20));
  LineReader reader(directory());
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(code_of(reader.next()), "end");
  EXPECT_EQ(reader.unfinished(), 20U);
  replace(whole);
  const auto second = reader.next();
  ASSERT_TRUE(second);
  EXPECT_EQ(*second + "\n", whole.substr(first));
}

TEST_F(Reader, AHalfLineThatIsCutAndWrittenAnewIsReadAnew) {
  write_session(2);
  const std::string whole = content();
  const auto first = whole.find('\n') + 1;
  replace(whole.substr(0, first) + "{\"seq\":2,\"other");
  LineReader reader(directory());
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(code_of(reader.next()), "end");
  replace(whole);
  EXPECT_EQ(reader.next().value() + "\n", whole.substr(first));
}

TEST_F(Reader, FollowsALiveSessionThroughItsSegments) {
  auto log = create({.segment_bytes = 3000});
  constexpr std::uint64_t kEvents = 5000;
  std::atomic<bool> failed{false};
  std::thread writing([&] {
    for (std::uint64_t i = 0; i < kEvents; ++i) {
      log.append("a.b", "", "{\"v\":\"" + std::string(i % 200, 'x') + "\"}");
      if (i % 4 == 3 && !log.commit()) failed = true;
    }
  });
  LineReader reader(directory());
  std::uint64_t seen = 0;
  while (seen < kEvents && !failed) {
    const auto line = reader.next();
    if (!line) {
      EXPECT_EQ(line.error().code, "end");
      std::this_thread::yield();
      continue;
    }
    const auto event = nlohmann::json::parse(*line, nullptr, false);
    ASSERT_FALSE(event.is_discarded()) << *line;
    ASSERT_EQ(event["seq"], ++seen);
  }
  writing.join();
  EXPECT_FALSE(failed);
  EXPECT_EQ(code_of(reader.next()), "end");
}

TEST_F(Reader, AnEarlierSegmentThatEndsInHalfALineIsToldOf) {
  write_session(20, {.segment_bytes = 1000});
  const std::string text = content(1);
  replace(text.substr(0, text.size() - 5), 1);
  LineReader reader(directory());
  Result<std::string> line = reader.next();
  while (line) line = reader.next();
  EXPECT_EQ(line.error().code, "bad_segment");
}

TEST_F(Reader, AnEndlessLineIsRefusedAndNotHeld) {
  write_session(1);
  replace(std::string(40U << 20, 'x'));
  LineReader reader(directory());
  EXPECT_EQ(code_of(reader.next()), "bad_segment");
}

TEST_F(Reader, BytesOfAnyKindPassThrough) {
  write_session(1);
  const std::string odd("a\0\x1b\xff\r", 5);
  replace(odd + "\n\n" + odd + "\n");
  EXPECT_EQ(lines(), (std::vector<std::string>{odd, "", odd}));
}

}  // namespace
}  // namespace weir::events
