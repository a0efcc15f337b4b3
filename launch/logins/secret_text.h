// A value as it is, from how it stands in a file. No copy is left. Private to launch/logins/. SECURITY: G2.
#pragma once

#include <optional>
#include <string_view>

#include "base/secret.h"
#include "launch/logins/scan.h"

namespace weir::launch {

std::optional<Secret> decoded(std::string_view text, const FoundValue& value);
std::optional<Secret> decoded_base64(std::string_view text);  // RFC 4648 §4, padded

}  // namespace weir::launch
