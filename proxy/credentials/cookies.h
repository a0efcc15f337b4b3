// The cookies of a request (RFC 6265 §4.2). Pure.
#pragma once

#include <string_view>

#include "base/error.h"
#include "proxy/credentials/draft_request.h"

namespace weir::proxy {

// All Cookie fields become one: this cookie first, then what the client sent but for cookies of that name, in its order and
// as it was. "credential_unusable": the value is no cookie-value (§4.1.1), or the name no token.
Result<void> set_cookie(std::string_view name, std::string_view value, DraftRequest& draft);

}  // namespace weir::proxy
