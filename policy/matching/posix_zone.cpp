#include "policy/matching/posix_zone.h"

#include <algorithm>

namespace weir::policy {

using namespace std::chrono;

// Reads from the front. Each step says whether it went well, and leaves the rest in rest_.
class PosixZoneReader {
 public:
  explicit PosixZoneReader(std::string_view rule) : rest_(rule) {}

  std::optional<PosixZone> zone() {
    PosixZone zone;
    if (!name() || !offset(zone.offset_)) return std::nullopt;
    if (rest_.empty()) return zone;
    PosixZone::Saving saving;
    if (!name()) return std::nullopt;
    saving.offset = zone.offset_ + hours(1);
    if (!rest_.starts_with(',') && !offset(saving.offset)) return std::nullopt;
    if (!take(',') || !change(saving.begin) || !take(',') || !change(saving.end) || !rest_.empty()) return std::nullopt;
    zone.saving_ = saving;
    return zone;
  }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool name() {  // "CET" or "<+0330>"
    const bool quoted = take('<');
    std::size_t length = 0;
    while (length < rest_.size() && (is_letter(rest_[length]) ||
                                     (quoted && (is_digit(rest_[length]) || rest_[length] == '+' || rest_[length] == '-'))))
      ++length;
    rest_.remove_prefix(length);
    return length >= 3 && length <= 16 && (!quoted || take('>'));
  }

  bool number(unsigned least, unsigned most, std::size_t digits, unsigned& value) {
    std::size_t length = 0;
    value = 0;
    while (length < digits && length < rest_.size() && is_digit(rest_[length]))
      value = value * 10 + static_cast<unsigned>(rest_[length++] - '0');
    rest_.remove_prefix(length);
    return length > 0 && value >= least && value <= most;
  }

  bool signed_time(unsigned most_hours, seconds& time) {  // [+-]h[:mm[:ss]]
    const bool negative = take('-');
    if (!negative) take('+');
    unsigned h = 0, m = 0, s = 0;
    if (!number(0, most_hours, 3, h)) return false;
    if (take(':')) {
      if (!number(0, 59, 2, m)) return false;
      if (take(':') && !number(0, 59, 2, s)) return false;
    }
    time = hours(h) + minutes(m) + seconds(s);
    if (negative) time = -time;
    return true;
  }

  bool offset(seconds& east) {  // POSIX counts west
    if (!signed_time(24, east)) return false;
    east = -east;
    return true;
  }

  bool change(PosixZone::Change& change) {
    using Kind = PosixZone::Change::Kind;
    bool good = false;
    if (take('M')) {
      change.kind = Kind::month_week_day;
      good = number(1, 12, 2, change.month) && take('.') && number(1, 5, 1, change.week) && take('.') &&
             number(0, 6, 1, change.weekday);
    } else if (take('J')) {
      change.kind = Kind::day_without_leap;
      good = number(1, 365, 3, change.day);
    } else {
      change.kind = Kind::day;
      good = number(0, 365, 3, change.day);
    }
    return good && (!take('/') || signed_time(167, change.time));
  }

  std::string_view rest_;
};

std::optional<PosixZone> PosixZone::parse(std::string_view rule) { return PosixZoneReader(rule).zone(); }

local_seconds PosixZone::Change::in(year y) const {
  local_days date{};
  switch (kind) {
    case Kind::month_week_day: {
      const std::chrono::weekday wanted(weekday);
      date = week == 5 ? local_days(y / std::chrono::month(month) / wanted[last])
                       : local_days(y / std::chrono::month(month) / wanted[week]);
      break;
    }
    case Kind::day_without_leap:
      date = local_days(y / January / 1) + days(day - 1 + (y.is_leap() && day > 59 ? 1 : 0));
      break;
    case Kind::day:
      date = local_days(y / January / 1) + days(day);
      break;
  }
  return date + time;
}

local_seconds PosixZone::local(sys_seconds now) const {
  const local_seconds standard{(now + offset_).time_since_epoch()};
  if (!saving_) return standard;
  // The year is the local one: near New Year UTC may be in another. No zone changes its clocks within a day of it.
  const auto year = year_month_day(floor<days>(standard)).year();
  const local_seconds with_saving{(now + saving_->offset).time_since_epoch()};
  const bool begun = standard >= saving_->begin.in(year);
  const bool ended = with_saving >= saving_->end.in(year);
  const bool northern = saving_->begin.in(year)-offset_ < saving_->end.in(year)-saving_->offset;
  const bool saving = northern ? begun && !ended : begun || !ended;
  return saving ? with_saving : standard;
}

}  // namespace weir::policy
