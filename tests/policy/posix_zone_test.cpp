#include "policy/matching/posix_zone.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <string>

namespace weir::policy {
namespace {

using namespace std::chrono;

// Sets TZ for glibc's own evaluation, and puts it back.
class ScopedTimeZone {
 public:
  explicit ScopedTimeZone(const std::string& rule) : before_(std::getenv("TZ") ? std::getenv("TZ") : "") {
    setenv("TZ", rule.c_str(), 1);
    tzset();
  }
  ~ScopedTimeZone() {
    if (before_.empty())
      unsetenv("TZ");
    else
      setenv("TZ", before_.c_str(), 1);
    tzset();
  }
  ScopedTimeZone(const ScopedTimeZone&) = delete;
  ScopedTimeZone& operator=(const ScopedTimeZone&) = delete;

 private:
  std::string before_;
};

// Each form that the zone database has today.
const char* const kRules[] = {"UTC0",
                              "CET-1CEST,M3.5.0,M10.5.0/3",
                              "EST5EDT,M3.2.0,M11.1.0",
                              "IST-5:30",
                              "<+0545>-5:45",
                              "<-03>3",
                              "IST-1GMT0,M10.5.0,M3.5.0/1",            // Dublin: winter is the exception
                              "AEST-10AEDT,M10.1.0,M4.1.0/3",          // summer over New Year
                              "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",  // by half an hour
                              "<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45",
                              "IST-2IDT,M3.4.4/26,M10.5.0",  // hours beyond the day
                              "EET-2EEST,M3.4.4/50,M10.4.4/50",
                              "<-04>4<-03>,M9.1.6/24,M4.1.6/24",
                              "XXX-2YYY,J60/0,J300",
                              "XXX-2YYY,59/0,300/1:30:15",
                              "NZST-12NZDT,M9.5.0,M4.1.0/3"};

TEST(PosixZone, AgreesWithTheSystemsLibraryAtEveryHour) {
  for (const char* rule : kRules) {
    const auto zone = PosixZone::parse(rule);
    ASSERT_TRUE(zone) << rule;
    const ScopedTimeZone scope(rule);
    for (auto now = sys_seconds(sys_days(2026y / January / 1)); now < sys_days(2033y / January / 3); now += minutes(30)) {
      const std::time_t t = now.time_since_epoch().count();
      std::tm tm{};
      localtime_r(&t, &tm);
      ASSERT_EQ((zone->local(now).time_since_epoch() - now.time_since_epoch()).count(), tm.tm_gmtoff) << rule << " at " << t;
    }
  }
}

// Greenland changes its clocks an hour before a Sunday begins, which not every library reads.
TEST(PosixZone, TakesHoursBeforeTheDay) {
  const auto zone = PosixZone::parse("<-02>2<-01>,M3.5.0/-1,M10.5.0/0");
  ASSERT_TRUE(zone);
  const sys_seconds change = sys_days(2026y / March / 29) + hours(1);
  EXPECT_EQ(zone->local(change - seconds(1)).time_since_epoch(), (change - seconds(1) - hours(2)).time_since_epoch());
  EXPECT_EQ(zone->local(change).time_since_epoch(), (change - hours(1)).time_since_epoch());
}

TEST(PosixZone, RefusesWhatIsNotARule) {
  for (const char* rule :
       {"", "CET", "CE-1", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,J0,J300", "CET-1CEST,J366,J300", "CET-1CEST,366,300", "CET-25", "CET-1:60",
        "CET-1CEST,M3.5.0/168,M10.5.0", "CET-1 ", "<CET-1", "Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3,", "CET--1"})
    EXPECT_FALSE(PosixZone::parse(rule)) << rule;
}

}  // namespace
}  // namespace weir::policy
