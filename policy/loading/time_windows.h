// One entry under `when`, as somebody writes it.
#pragma once

#include "policy/loading/zones.h"

namespace weir::policy {

// "mon-fri 09:00-17:30 Europe/Berlin", each part of which may be left out but not all, or an interval
// "2026-03-01T00:00Z/2026-04-01T00:00Z".
Read<TimeWindow> read_time_window(std::string_view text, Zones& zones);

}  // namespace weir::policy
