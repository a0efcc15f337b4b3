// One writer a session: an open file description lock on the file `lock` in the session's folder (fcntl(2)). The kernel
// lets go of it when the writer ends, however it ends.
#pragma once

#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

namespace weir::events {

// "session_locked" when another has it, "store_full" or "store_unwritable".
Result<UniqueFd> take_writer_lock(const std::string& session_directory);

// "store_full" for errno values that mean that there is no room, else "store_unwritable".
const char* store_error(int errno_value);

}  // namespace weir::events
