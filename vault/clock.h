// The clock that lives are measured by: never back, and on through a suspended machine.
#pragma once

#include <cstdint>
#include <ctime>

namespace weir::vault {

inline std::int64_t boot_clock_ms() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace weir::vault
