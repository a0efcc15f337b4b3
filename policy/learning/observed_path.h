// A path as events have it, taken back into the form in which rules are asked about it.
#pragma once

#include <string_view>

#include "policy/canonical.h"

namespace weir::policy {

// `decoded` is what CanonicalPath::decoded was, through JSON and back. Ambiguous also where that cannot be told any more: a percent
// sign may have been a malformed escape, and bytes that are not UTF-8 or too many are not in the record.
CanonicalPath observed_path(std::string_view decoded);

}  // namespace weir::policy
