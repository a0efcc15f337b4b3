// Hostile text as a JSON string.
#pragma once

#include <string>
#include <string_view>

namespace weir::events {

// Appends `text` in quotes. Control characters, bidi controls, U+2028/2029 and the like become \uXXXX escapes; a byte that
// is not valid UTF-8 becomes \ufffd; over `limit` bytes it is cut and "…[cut N bytes]" says so. What comes out is
// printable, on one line, and cannot end the string early.
void append_json_string(std::string& out, std::string_view text, std::size_t limit);

}  // namespace weir::events
