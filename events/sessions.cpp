#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/ids.h"
#include "events/reader.h"
#include "events/segment_name.h"

namespace weir::events {
namespace {

// An identifier begins with 48 bits of milliseconds (base/ids.h).
std::int64_t time_of_id(std::string_view id) {
  static constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  std::int64_t ms = 0;
  for (const char c : id.substr(id.find('_') + 1, 10)) ms = ms * 32 + static_cast<std::int64_t>(kAlphabet.find(c));
  return ms * 1000;
}

// 0 when it says none.
std::int64_t time_of_first_event(const std::string& directory) {
  const auto line = LineReader(directory).next();
  if (!line) return 0;
  const auto event = nlohmann::json::parse(*line, nullptr, false);
  if (!event.is_object() || !event.contains("ts") || !event["ts"].is_string()) return 0;
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  long us = 0;
  if (std::sscanf(event["ts"].get<std::string>().c_str(), "%4d-%2u-%2uT%2u:%2u:%2u.%6ldZ", &year, &month, &day, &hour,
                  &minute, &second, &us) != 7)
    return 0;
  using namespace std::chrono;
  const sys_days date(std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day));
  return duration_cast<microseconds>(date.time_since_epoch() + hours(hour) + minutes(minute) + seconds(second)).count() + us;
}

}  // namespace

Result<std::vector<SessionEntry>> list_sessions(const std::string& root) {
  std::vector<SessionEntry> sessions;
  std::error_code error;
  std::filesystem::directory_iterator entries(root, error);
  if (error == std::errc::no_such_file_or_directory) return sessions;
  if (error) return fail("store_unreadable", "cannot list " + root + ": " + error.message());
  for (; entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    if (error) return fail("store_unreadable", "cannot list " + root + ": " + error.message());
    const std::string name = entries->path().filename();
    if (!std::filesystem::exists(entries->path() / segment_name(1), error)) continue;
    sessions.push_back({name, is_id(name, "ses") ? time_of_id(name) : time_of_first_event(entries->path())});
  }
  std::ranges::sort(sessions, [](const auto& a, const auto& b) {
    return a.started_us != b.started_us ? a.started_us > b.started_us : a.id > b.id;
  });
  return sessions;
}

}  // namespace weir::events
