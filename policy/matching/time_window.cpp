#include "policy/matching/time_window.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>

namespace weir::policy {

namespace {

constexpr std::int64_t kYear10000 = 253'402'300'800;  // calendars end somewhere

}  // namespace

Result<CompiledWindow> CompiledWindow::compile(const TimeWindow& window) {
  CompiledWindow compiled;
  compiled.window_ = window;
  if (window.kind == TimeWindow::Kind::interval) {
    if (window.begin >= window.end) return fail("window_invalid", "an interval ends before it begins");
    return compiled;
  }
  if (window.days == 0 || window.days > 0x7f || window.from >= 1440 || window.to > 1440)
    return fail("window_invalid", "a time window has impossible days or times");
  if (window.zone_rule.empty()) return compiled;
  const auto zone = PosixZone::parse(window.zone_rule);
  if (!zone) return fail("window_invalid", "a time window has a zone that cannot be read");
  compiled.zone_ = *zone;
  return compiled;
}

bool CompiledWindow::holds(std::int64_t now) const {
  using namespace std::chrono;
  if (window_.kind == TimeWindow::Kind::interval) return window_.begin <= now && now < window_.end;
  const auto local = zone_.local(sys_seconds(seconds(std::clamp<std::int64_t>(now, 0, kYear10000))));
  const auto date = floor<days>(local);
  const auto minute = duration_cast<minutes>(local - date).count();
  const unsigned today = weekday(date).iso_encoding() - 1;
  const auto begins_on = [&](unsigned day) { return (window_.days >> day & 1U) != 0; };
  if (window_.from < window_.to) return begins_on(today) && window_.from <= minute && minute < window_.to;
  return (begins_on(today) && minute >= window_.from) || (begins_on((today + 6) % 7) && minute < window_.to);
}

bool holds(const TimeWindow& window, std::int64_t now) {
  const auto compiled = CompiledWindow::compile(window);
  if (!compiled) throw std::invalid_argument(compiled.error().message);
  return compiled->holds(now);
}

}  // namespace weir::policy
