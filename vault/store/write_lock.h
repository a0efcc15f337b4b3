// One writer at a time, across processes: flock(2) on a file beside the store, which itself is replaced at each write.
#pragma once

#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

namespace weir::vault::store {

// Held until the descriptor is closed. "vault_busy" after ten seconds.
Result<UniqueFd> take_write_lock(const std::string& store_file);

}  // namespace weir::vault::store
