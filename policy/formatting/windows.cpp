#include <fmt/format.h>

#include <array>
#include <chrono>

#include "policy/formatting/written.h"

namespace weir::policy {

namespace {

constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

std::string days_of(std::uint8_t days) {
  std::string out;
  for (unsigned day = 0; day < 7;) {
    unsigned end = day;
    while (end < 7 && ((days >> end) & 1U) != 0) ++end;
    if (end == day) {
      ++day;
      continue;
    }
    if (!out.empty()) out += ",";
    out += kDays[day];
    if (end - day == 2) out += fmt::format(",{}", kDays[day + 1]);
    if (end - day > 2) out += fmt::format("-{}", kDays[end - 1]);
    day = end;
  }
  return out;
}

std::string moment(std::int64_t seconds) {
  using namespace std::chrono;
  const sys_seconds time{std::chrono::seconds(seconds)};
  const year_month_day date{floor<days>(time)};
  const hh_mm_ss clock{time - floor<days>(time)};
  auto out = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                         static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count());
  if (clock.seconds().count() != 0) out += fmt::format(":{:02}", clock.seconds().count());
  return out + "Z";
}

}  // namespace

std::string written(const TimeWindow& window) {
  if (window.kind == TimeWindow::Kind::interval) return moment(window.begin) + "/" + moment(window.end);
  const bool every_day = (window.days & 0x7f) == 0x7f;
  const bool all_day = window.from == 0 && window.to == 1440;
  std::string out = every_day && !all_day ? "" : every_day ? "mon-sun" : days_of(window.days);
  const auto append = [&](const std::string& part) { out += (out.empty() ? "" : " ") + part; };
  if (!all_day)
    append(fmt::format("{:02}:{:02}-{:02}:{:02}", window.from / 60, window.from % 60, window.to / 60, window.to % 60));
  if (!window.zone.empty()) append(window.zone);
  return out;
}

}  // namespace weir::policy
