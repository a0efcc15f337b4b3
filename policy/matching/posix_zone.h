// A time zone from now on, as the POSIX TZ rule that ends each file of the zone database ("CET-1CEST,M3.5.0,M10.5.0/3"),
// so that whoever decides needs no files. Rules as RFC 8536 §3.3 has them: hours of a change from -167 to 167. (The rule
// reader of Howard Hinnant's date library was considered: it takes no negative hours, which Greenland has, and months
// beyond 12.)
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace weir::policy {

class PosixZone {
 public:
  PosixZone() = default;  // UTC

  // Nothing when it is not such a rule.
  static std::optional<PosixZone> parse(std::string_view rule);

  // What the clocks there show at that moment.
  std::chrono::local_seconds local(std::chrono::sys_seconds now) const;

 private:
  friend class PosixZoneReader;

  struct Change {  // a moment of each year, in local time as it is before the change
    enum class Kind { month_week_day, day_without_leap, day } kind = Kind::month_week_day;
    unsigned month = 0, week = 0, weekday = 0;  // Mm.w.d
    unsigned day = 0;                           // Jn: 1 to 365, February 29 is not counted; n: 0 to 365
    std::chrono::seconds time = std::chrono::hours(2);
    std::chrono::local_seconds in(std::chrono::year year) const;
  };
  struct Saving {
    std::chrono::seconds offset{};
    Change begin, end;
  };

  std::chrono::seconds offset_{};  // east of Greenwich
  std::optional<Saving> saving_;
};

}  // namespace weir::policy
