#include "base/time.h"

#include <chrono>

namespace weir {

std::int64_t wall_clock_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string format_timestamp(std::int64_t unix_us) {
  using namespace std::chrono;
  const sys_time<microseconds> at{microseconds{unix_us}};
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const hh_mm_ss clock{at - day};
  std::string out = "0000-00-00T00:00:00.000000Z";
  const auto put = [&out](std::size_t end, std::int64_t value, int digits) {
    for (int i = 0; i < digits; ++i, value /= 10) out[--end] = static_cast<char>('0' + value % 10);
  };
  put(4, static_cast<int>(date.year()), 4);
  put(7, static_cast<unsigned>(date.month()), 2);
  put(10, static_cast<unsigned>(date.day()), 2);
  put(13, clock.hours().count(), 2);
  put(16, clock.minutes().count(), 2);
  put(19, clock.seconds().count(), 2);
  put(26, clock.subseconds().count(), 6);
  return out;
}

namespace {

// Takes exactly `digits` digits from the front.
bool take_number(std::string_view& text, std::size_t digits, int& value) {
  if (text.size() < digits) return false;
  value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return true;
}

bool take_character(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<std::int64_t> parse_timestamp(std::string_view text) {
  using namespace std::chrono;
  int year_number = 0, month_number = 0, day_number = 0, hour = 0, minute = 0, second = 0;
  if (!take_number(text, 4, year_number) || !take_character(text, "-") || !take_number(text, 2, month_number) ||
      !take_character(text, "-") || !take_number(text, 2, day_number) || !take_character(text, "Tt ") ||
      !take_number(text, 2, hour) || !take_character(text, ":") || !take_number(text, 2, minute))
    return std::nullopt;
  if (take_character(text, ":")) {
    if (!take_number(text, 2, second)) return std::nullopt;
    if (take_character(text, ".")) {
      if (!take_character(text, "0123456789")) return std::nullopt;
      while (take_character(text, "0123456789")) {
      }
    }
  }
  const year_month_day date{year{year_number}, month{static_cast<unsigned>(month_number)}, day{static_cast<unsigned>(day_number)}};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  minutes offset{0};
  if (!take_character(text, "Zz")) {
    const bool west = text.starts_with('-');
    int offset_hours = 0, offset_minutes = 0;
    if (!take_character(text, "+-") || !take_number(text, 2, offset_hours) || !take_character(text, ":") ||
        !take_number(text, 2, offset_minutes) || offset_hours > 23 || offset_minutes > 59)
      return std::nullopt;
    offset = hours{offset_hours} + minutes{offset_minutes};
    if (west) offset = -offset;
  }
  if (!text.empty()) return std::nullopt;
  const auto at = sys_days{date} + hours{hour} + minutes{minute} + seconds{second} - offset;
  return at.time_since_epoch().count();
}

}  // namespace weir
