// What makes an event's identifier and time: written into the line with no allocation. Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace weir::events {

// Identifiers as make_id("evt") gives them (base/ids.h), but the random part is drawn once and counted up: unique, in
// order within a session, and no random bytes to fetch for each.
class EventIds {
 public:
  EventIds();
  void append(std::string& out, std::int64_t unix_us);

 private:
  std::array<char, 4 + 26> text_;
  std::int64_t ms_ = -1;
};

// RFC 3339 in UTC with microseconds; the second's text is kept until the second is over.
class Timestamps {
 public:
  void append(std::string& out, std::int64_t unix_us);

 private:
  std::string text_;
  std::int64_t second_ = INT64_MIN;
};

}  // namespace weir::events
