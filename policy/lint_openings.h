// Warnings about what a file opens wider than its author may know.
#pragma once

#include "policy/document.h"
#include "policy/loading/diagnostics.h"

namespace weir::policy {

void warn_of_openings(Diagnostics& diagnostics, const Document& document);

}  // namespace weir::policy
