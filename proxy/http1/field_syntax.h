// The grammar of field lines (RFC 9110 §5, RFC 9112 §5), for heads and trailers alike.
#pragma once

#include <string_view>

#include "base/error.h"
#include "proxy/http1/message.h"

namespace weir::proxy {

bool is_token(std::string_view text);        // RFC 9110 §5.6.2; not empty
bool is_field_value(std::string_view text);  // visible characters, SP, HTAB and obs-text (RFC 9110 §5.5)

// One line without its CRLF. Errors: "obs_fold", "bad_header_name", "bad_header_value". Views into `line`.
Result<Header> parse_field_line(std::string_view line);

// The next element of a comma-separated list, taken off its front, without white space; empty elements are skipped
// (RFC 9110 §5.6.1). An empty view: there is none left.
std::string_view next_element(std::string_view& list);

}  // namespace weir::proxy
