// Which session somebody means.
#pragma once

#include <string>

#include "base/error.h"

namespace weir::cli {

// The folder of the session that is meant: the newest without a name, else by its id or a unique beginning of it.
Result<std::string> find_session(const std::string& wanted);

}  // namespace weir::cli
