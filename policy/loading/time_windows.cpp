#include "policy/loading/time_windows.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "base/time.h"

namespace weir::policy {

namespace {

constexpr std::string_view kExample =
    "for instance: \"mon-fri 09:00-17:30 Europe/Berlin\", \"22:00-06:00\" or \"2026-03-01T00:00Z/2026-04-01T00:00Z\"";
constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

std::unexpected<Problem> refuse(std::string_view text, std::string_view why, std::string hint = std::string(kExample)) {
  return std::unexpected(Problem{fmt::format("`{}` {}", printable(text, 100), why), std::move(hint)});
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<unsigned> day_of(std::string_view text) {
  const auto found = std::ranges::find(kDays, text);
  return found == kDays.end() ? std::nullopt : std::optional(static_cast<unsigned>(found - kDays.begin()));
}

bool looks_like_days(std::string_view word) {
  const auto first = to_lower(word.substr(0, word.find_first_of("-,")));
  return first.size() >= 3 && day_of(first.substr(0, 3)).has_value() && first.find('/') == std::string::npos;
}

Read<std::uint8_t> read_days(std::string_view word) {
  const std::string hint = "write mon, mon-fri or sat,sun; a day has three small letters";
  unsigned days = 0;
  for (const auto part : split(word, ',')) {
    const auto dash = part.find('-');
    const auto first = day_of(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : day_of(part.substr(dash + 1));
    if (!first || !last) return refuse(part, "is not a day or a range of days", hint);
    for (unsigned day = *first;; day = (day + 1) % 7) {
      if ((days >> day & 1U) != 0) return refuse(word, fmt::format("names {} twice", kDays[day]), "name each day once");
      days |= 1U << day;
      if (day == *last) break;
    }
  }
  return static_cast<std::uint8_t>(days);
}

std::optional<std::uint16_t> minutes_of(std::string_view text) {  // HH:MM to 24:00
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  for (const std::size_t i : {0U, 1U, 3U, 4U})
    if (!is_digit(text[i])) return std::nullopt;
  const int hours = (text[0] - '0') * 10 + (text[1] - '0');
  const int minutes = (text[3] - '0') * 10 + (text[4] - '0');
  if (minutes > 59 || hours > 24 || (hours == 24 && minutes > 0)) return std::nullopt;
  return static_cast<std::uint16_t>(hours * 60 + minutes);
}

Read<void> read_times(std::string_view word, TimeWindow& window) {
  const std::string hint = "write times as 09:00-17:30, from 00:00 to 24:00";
  const auto dash = word.find('-');
  if (dash == std::string_view::npos) return refuse(word, "is not a span of time", hint);
  const auto from = minutes_of(word.substr(0, dash)), to = minutes_of(word.substr(dash + 1));
  if (!from || !to || *from == 1440) return refuse(word, "is not a span of time", hint);
  window.from = *from;
  window.to = *to;
  return {};
}

Read<TimeWindow> read_interval(std::string_view text) {
  const auto slash = text.find('/');
  const std::string hint = "write it as 2026-03-01T00:00Z/2026-04-01T00:00Z";
  TimeWindow window{.kind = TimeWindow::Kind::interval};
  const auto begin = parse_timestamp(text.substr(0, slash)), end = parse_timestamp(text.substr(slash + 1));
  if (!begin) return refuse(text.substr(0, slash), "is not a time", hint);
  if (!end) return refuse(text.substr(slash + 1), "is not a time", hint);
  if (*begin >= *end) return refuse(text, "ends before it begins", "the earlier time stands first");
  window.begin = *begin;
  window.end = *end;
  return window;
}

}  // namespace

Read<TimeWindow> read_time_window(std::string_view text, Zones& zones) {
  if (!text.empty() && is_digit(text.front()) && text.find('/') != std::string_view::npos &&
      text.find(' ') == std::string_view::npos)
    return read_interval(text);
  TimeWindow window;
  enum Part { nothing, days, times, zone } last = nothing;
  for (const auto word : split(text, ' ')) {
    if (word.empty()) return refuse(text, "has a space too many", "one space stands between days, times and zone");
    const Part part = is_digit(word.front()) ? times : looks_like_days(word) ? days : zone;
    if (part <= last) return refuse(text, "is not a time window: days, times and zone stand in this order, each once");
    last = part;
    if (part == days) {
      const auto read = read_days(word);
      if (!read) return std::unexpected(read.error());
      window.days = *read;
    } else if (part == times) {
      if (auto read = read_times(word, window); !read) return std::unexpected(read.error());
    } else {
      window.zone = word;
      const auto& rule = zones.rule_of(window.zone);
      if (!rule) return std::unexpected(rule.error());
      window.zone_rule = *rule;
    }
  }
  if (window.days == 0x7f && window.from == 0 && window.to == 1440)
    return refuse(text, "is always", "leave out `when`, or name days or times");
  return window;
}

}  // namespace weir::policy
