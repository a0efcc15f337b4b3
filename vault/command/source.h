// `exec:` as a source: the program runs again before its value's time is over.
#pragma once

#include <string_view>

#include "vault/obtained.h"
#include "vault/purpose.h"

namespace weir::vault {

// `text`: what stands behind "exec:". `ttl_ms` 0: the value serves as long as the session, or to the end that it tells itself
// ("Expiration" of AWS's credential_process, a certificate's end).
Result<Obtained> obtain_from_command(std::string_view text, std::int64_t ttl_ms, Purpose purpose = Purpose::text);

}  // namespace weir::vault
