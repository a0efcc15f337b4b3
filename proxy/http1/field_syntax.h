// The grammar of field lines (RFC 9110 §5, RFC 9112 §5), for heads and trailers alike, and the scan over raw bytes that
// the parsers here are built on.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "proxy/http1/message.h"

namespace weir::proxy {

// What a byte may be part of, by its value.
inline constexpr std::uint8_t kTokenByte = 1;   // tchar (RFC 9110 §5.6.2)
inline constexpr std::uint8_t kValueByte = 2;   // visible characters, SP, HTAB and obs-text (RFC 9110 §5.5)
inline constexpr std::uint8_t kTargetByte = 4;  // visible ASCII but '#': what may stand in a request target
extern const std::array<std::uint8_t, 256> kByteClasses;

inline bool is_byte_of(std::uint8_t wanted, char c) { return (kByteClasses[static_cast<unsigned char>(c)] & wanted) != 0; }

bool is_token(std::string_view text);        // not empty
bool is_field_value(std::string_view text);  // may be empty

// The first byte from `at` on that is a control character other than HTAB (0x00 to 0x1F, 0x7F); `end` when there is none.
// 16 bytes a step where the processor can.
const char* find_control(const char* at, const char* end);

// One field line, from `at`, with its CRLF; on success `at` is behind it. The caller has made sure that the line is not
// empty (does not begin with CR). Errors: "obs_fold", "bad_header_name", "bad_header_value", "bad_line_ending". Views into
// the bytes.
Result<void> take_field_line(const char*& at, const char* end, Header& out);

// The next element of a comma-separated list, taken off its front, without white space; empty elements are skipped
// (RFC 9110 §5.6.1). An empty view: there is none left.
std::string_view next_element(std::string_view& list);

}  // namespace weir::proxy
