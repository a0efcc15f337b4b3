#include "policy/matching/time_window.h"

#include <gtest/gtest.h>

#include <chrono>

namespace weir::policy {
namespace {

using namespace std::chrono;

constexpr const char* kBerlin = "CET-1CEST,M3.5.0,M10.5.0/3";

std::int64_t utc(int y, unsigned m, unsigned d, int hour = 0, int minute = 0, int second = 0) {
  const auto at = sys_days(year(y) / month(m) / day(d)) + hours(hour) + minutes(minute) + seconds(second);
  return at.time_since_epoch() / seconds(1);
}

TimeWindow weekly(std::uint8_t days, int from, int to, std::string zone_rule = {}) {
  return {.days = days,
          .from = static_cast<std::uint16_t>(from),
          .to = static_cast<std::uint16_t>(to),
          .zone_rule = std::move(zone_rule)};
}

constexpr std::uint8_t kWorkdays = 0x1f, kEveryDay = 0x7f, kMonday = 1, kSunday = 0x40;

// 2026-01-05 is a Monday.
TEST(TimeWindow, HoldsFromItsFirstMinuteToBeforeItsLast) {
  const auto window = weekly(kWorkdays, 9 * 60, 17 * 60 + 30);
  EXPECT_FALSE(holds(window, utc(2026, 1, 5, 8, 59, 59)));
  EXPECT_TRUE(holds(window, utc(2026, 1, 5, 9)));
  EXPECT_TRUE(holds(window, utc(2026, 1, 5, 17, 29, 59)));
  EXPECT_FALSE(holds(window, utc(2026, 1, 5, 17, 30)));
}

TEST(TimeWindow, KnowsTheDays) {
  const auto window = weekly(kWorkdays, 0, 1440);
  for (unsigned day = 5; day <= 9; ++day) EXPECT_TRUE(holds(window, utc(2026, 1, day, 12))) << day;
  EXPECT_FALSE(holds(window, utc(2026, 1, 10, 12)));
  EXPECT_FALSE(holds(window, utc(2026, 1, 11, 23, 59, 59)));
  EXPECT_TRUE(holds(window, utc(2026, 1, 12)));
}

TEST(TimeWindow, RunsOverMidnightFromTheDayOnWhichItBegins) {
  const auto window = weekly(kMonday, 22 * 60, 6 * 60);
  EXPECT_FALSE(holds(window, utc(2026, 1, 5, 5)));  // Sunday's night
  EXPECT_FALSE(holds(window, utc(2026, 1, 5, 21, 59)));
  EXPECT_TRUE(holds(window, utc(2026, 1, 5, 22)));
  EXPECT_TRUE(holds(window, utc(2026, 1, 6, 5, 59)));
  EXPECT_FALSE(holds(window, utc(2026, 1, 6, 6)));
  EXPECT_FALSE(holds(window, utc(2026, 1, 6, 22)));
}

TEST(TimeWindow, RunsFromSundayIntoMonday) {
  const auto window = weekly(kSunday, 20 * 60, 8 * 60);
  EXPECT_TRUE(holds(window, utc(2026, 1, 5, 7)));
  EXPECT_FALSE(holds(window, utc(2026, 1, 6, 7)));
}

TEST(TimeWindow, OfEqualTimesIsADayLong) {
  const auto window = weekly(kMonday, 9 * 60, 9 * 60);
  EXPECT_FALSE(holds(window, utc(2026, 1, 5, 8)));
  EXPECT_TRUE(holds(window, utc(2026, 1, 5, 9)));
  EXPECT_TRUE(holds(window, utc(2026, 1, 6, 8, 59)));
  EXPECT_FALSE(holds(window, utc(2026, 1, 6, 9)));
}

TEST(TimeWindow, FollowsTheClocksOfItsZoneThroughTheYear) {
  const auto window = weekly(kEveryDay, 9 * 60, 10 * 60, kBerlin);
  EXPECT_TRUE(holds(window, utc(2026, 1, 5, 8)));  // winter, UTC+1
  EXPECT_FALSE(holds(window, utc(2026, 1, 5, 7)));
  EXPECT_TRUE(holds(window, utc(2026, 7, 6, 7)));  // summer, UTC+2
  EXPECT_FALSE(holds(window, utc(2026, 7, 6, 8)));
}

TEST(TimeWindow, TakesTheDayOfItsZone) {
  const auto window = weekly(kMonday, 0, 1440, "<+13>-13");
  EXPECT_TRUE(holds(window, utc(2026, 1, 4, 11)));  // Sunday in Greenwich
  EXPECT_FALSE(holds(window, utc(2026, 1, 5, 11)));
}

TEST(TimeWindow, IsSkippedWithTheHourThatSpringSkips) {
  const auto window = weekly(kEveryDay, 2 * 60, 3 * 60, kBerlin);
  EXPECT_TRUE(holds(window, utc(2026, 3, 28, 1, 30)));
  for (int minute = 0; minute < 180; ++minute) EXPECT_FALSE(holds(window, utc(2026, 3, 29, 0, minute))) << minute;
}

TEST(TimeWindow, ComesTwiceWithTheHourThatAutumnRepeats) {
  const auto window = weekly(kEveryDay, 2 * 60, 3 * 60, kBerlin);
  EXPECT_FALSE(holds(window, utc(2026, 10, 24, 23, 59)));
  EXPECT_TRUE(holds(window, utc(2026, 10, 25, 0, 30)));
  EXPECT_TRUE(holds(window, utc(2026, 10, 25, 1, 30)));
  EXPECT_FALSE(holds(window, utc(2026, 10, 25, 2)));
}

TEST(TimeWindow, OfOneIntervalExcludesItsEnd) {
  const TimeWindow window{.kind = TimeWindow::Kind::interval, .begin = utc(2026, 3, 1), .end = utc(2026, 4, 1)};
  EXPECT_FALSE(holds(window, utc(2026, 3, 1) - 1));
  EXPECT_TRUE(holds(window, utc(2026, 3, 1)));
  EXPECT_TRUE(holds(window, utc(2026, 4, 1) - 1));
  EXPECT_FALSE(holds(window, utc(2026, 4, 1)));
}

TEST(TimeWindow, IsNotCompiledWhenItCannotBe) {
  EXPECT_FALSE(CompiledWindow::compile(weekly(0, 0, 1440)));
  EXPECT_FALSE(CompiledWindow::compile(weekly(0x80, 0, 1440)));
  EXPECT_FALSE(CompiledWindow::compile(weekly(1, 1440, 1440)));
  EXPECT_FALSE(CompiledWindow::compile(weekly(1, 0, 1441)));
  EXPECT_FALSE(CompiledWindow::compile(weekly(1, 0, 1440, "Berlin")));
  EXPECT_FALSE(CompiledWindow::compile({.kind = TimeWindow::Kind::interval, .begin = 5, .end = 5}));
  EXPECT_THROW(holds(weekly(0, 0, 1440), 0), std::invalid_argument);
}

TEST(TimeWindow, DoesNotMindTimesFarAway) {
  const auto window = weekly(kEveryDay, 0, 1440, kBerlin);
  for (const auto now :
       {std::numeric_limits<std::int64_t>::min(), std::int64_t{-1}, std::numeric_limits<std::int64_t>::max()})
    EXPECT_TRUE(holds(window, now));
}

}  // namespace
}  // namespace weir::policy
