// Identifiers that sort by the time they were made: a prefix, then 48 bits of milliseconds and 80 random bits in
// Crockford's base 32 (the ULID layout).
#pragma once

#include <string>
#include <string_view>

namespace weir {

std::string make_id(std::string_view prefix);  // make_id("ses") → "ses_01J…", 26 characters after the underscore

// True for what make_id(prefix) can give; for checking names that come from outside before they become paths.
bool is_id(std::string_view text, std::string_view prefix);

}  // namespace weir
