// Wall-clock time as the event stream writes it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir {

std::int64_t wall_clock_us();                        // microseconds since 1970-01-01 UTC
std::string format_timestamp(std::int64_t unix_us);  // RFC 3339 in UTC with microseconds: 2026-01-05T10:11:12.345678Z

// Seconds since 1970 of an RFC 3339 time, its seconds optional and fractions of them dropped: 2026-01-05T10:11Z,
// 2026-01-05T11:11:12.5+01:00. Nothing for anything else, such as a day that the month does not have or a time without a zone.
std::optional<std::int64_t> parse_timestamp(std::string_view text);

}  // namespace weir
