// What is allowed in a policy file but is probably not what its author meant: for `weir policy check`.
#pragma once

#include <string_view>

#include "policy/loader.h"

namespace weir::policy {

// Adds warnings to a file that loaded without errors; `text` is what it was loaded from. Only about what stands in
// that file itself: its author cannot mend a preset.
void add_warnings(Loaded& loaded, std::string_view text);

}  // namespace weir::policy
