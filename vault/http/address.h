// Which addresses secrets may be sent to. Pure.
#pragma once

#include <string_view>

#include "base/error.h"

namespace weir::vault::http {

// A host, with or without a port, that is this machine: 127.0.0.0/8, localhost or [::1].
bool is_this_machine(std::string_view authority);

// An https:// address, or an http:// one of this machine; with a host, and with nothing in it that could lead elsewhere than it
// seems to: user names, fragments, blanks, control characters. `what` begins the error's sentence. "refresh_invalid".
Result<void> check_address(std::string_view url, std::string_view what);

}  // namespace weir::vault::http
