// Small questions about text.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

std::string to_lower(std::string_view text);                        // ASCII only, whatever the locale
bool equals_ignoring_case(std::string_view a, std::string_view b);  // ASCII only
std::vector<std::string_view> split(std::string_view text, char separator);  // views into text
std::string_view trim(std::string_view text);                       // spaces, tabs, CR, LF at both ends

// The candidate nearest to `word` by edit distance, when it is near enough to be a likely slip of the pen.
std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> candidates);

// How many bytes stand before the first malformed UTF-8 sequence (RFC 3629 §4); text.size() when there is none.
std::size_t valid_utf8_prefix(std::string_view text);

// Text that came from a sandbox or an upstream, made safe for a terminal: control characters (C0, C1, DEL), bidi
// controls and invalid UTF-8 become visible escapes (\x1b, \u202e); over `limit` bytes it is cut with "…".
std::string printable(std::string_view text, std::size_t limit = 4096);

}  // namespace weir
