// Wall-clock time as the event stream writes it.
#pragma once

#include <cstdint>
#include <string>

namespace weir {

std::int64_t wall_clock_us();                        // microseconds since 1970-01-01 UTC
std::string format_timestamp(std::int64_t unix_us);  // RFC 3339 in UTC with microseconds: 2026-01-05T10:11:12.345678Z

}  // namespace weir
