// Texts that are made of secrets, in the forms that protocols want them in. Pure. SECURITY: G2, no copy is left anywhere.
#pragma once

#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

#include "base/secret.h"

namespace weir::vault {

Secret joined(std::initializer_list<std::string_view> parts);

// application/x-www-form-urlencoded: name=value&… (WHATWG URL §5.2)
Secret form_body(const std::vector<std::pair<std::string_view, std::string_view>>& fields);
Secret form_encoded(std::string_view text);

Secret base64(std::string_view bytes);     // RFC 4648 §4, padded
Secret base64url(std::string_view bytes);  // RFC 4648 §5, not padded

}  // namespace weir::vault
