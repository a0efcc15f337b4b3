// What may stand where in a head. Pure.
#pragma once

#include <string_view>

#include "base/error.h"

namespace weir::proxy {

// A field's value (RFC 9110 §5.5) that is not empty: no control characters but HTAB, no white space at its ends.
bool is_usable_field_value(std::string_view value);
bool has_controls(std::string_view text);  // 0x00 to 0x1F, 0x7F

// The names of two fields, or of two that a server which reads '_' as '-' (RFC 3875 §4.1.18) takes for one.
bool is_same_field(std::string_view a, std::string_view b);

// "credential_unusable". The value is not in the message. SECURITY: G2.
std::unexpected<Error> unusable(std::string_view why);

// The text behind the scheme, where the value is `Basic …` (RFC 9110 §11.4: the scheme's case means nothing); else empty.
std::string_view basic_credentials(std::string_view field_value);

}  // namespace weir::proxy
