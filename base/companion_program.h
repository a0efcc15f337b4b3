// The programs that come with this one: beside it, or in libexec where it is installed.
#pragma once

#include <string>

#include "base/error.h"

namespace weir {

// The absolute path of "weir-proxy", "weir-init". Error "companion_missing".
Result<std::string> companion_program(const std::string& name);

}  // namespace weir
