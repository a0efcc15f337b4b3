// Whether now is within a rule's `when`. Pure: no files, no clock, no environment.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "policy/document.h"
#include "policy/matching/posix_zone.h"

namespace weir::policy {

// A window with its zone read once, for whoever asks often.
//
// Weekly windows go by what the clocks in the zone show: an hour that is skipped in spring belongs to no window, one that
// comes twice in autumn belongs to its windows twice.
class CompiledWindow {
 public:
  static Result<CompiledWindow> compile(const TimeWindow& window);  // "window_invalid"

  bool holds(std::int64_t now) const;  // seconds since 1970, UTC

 private:
  TimeWindow window_;
  PosixZone zone_;
};

// The same for once. Throws on a window that compile() refuses: the loader lets none through.
bool holds(const TimeWindow& window, std::int64_t now);

}  // namespace weir::policy
