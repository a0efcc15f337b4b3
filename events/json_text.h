// Hostile text as a JSON string.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weir::events {

// Appends `text` in quotes. Control characters, bidi controls, U+2028/2029, invisible and "tag" characters become \uXXXX
// escapes; a byte that is not part of well-formed UTF-8 becomes \ufffd and its two hex digits in angle brackets. Over
// `limit` bytes the text is cut and "…[cut N bytes]" says so, N counted from `whole_size`, for a caller that has cut
// before. What comes out is printable, on one line, and cannot end the string early.
void append_json_string(std::string& out, std::string_view text, std::size_t limit, std::size_t whole_size = 0);

// How much of `text` fits in `limit` bytes without cutting a well-formed UTF-8 sequence in two.
std::size_t whole_sequences(std::string_view text, std::size_t limit);

}  // namespace weir::events
