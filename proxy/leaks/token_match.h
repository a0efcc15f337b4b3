// Whether what stands at an anchor is a token. Pure functions of bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proxy/leaks/token_shapes.h"

namespace weir::proxy::leaks {

struct TokenVerdict {
  enum class Kind : std::uint8_t {
    no,
    yes,
    more,  // the bytes end before it can be said; `begin` says from where they are needed
  } kind = Kind::no;
  std::size_t begin = 0, end = 0;
};

// The shape's anchor stands at `at`. With `last` nothing follows the bytes, and the verdict is never `more`. `before`: what came before the
// bytes, of which three say whether a word begins.
TokenVerdict token_at(const TokenShape& shape, std::string_view bytes, std::size_t at, bool last, std::string_view before = {});

// What documentation has instead of a token: words like "example", runs and rows of characters, few different ones.
bool looks_made_up(std::string_view token);

// The check sum of GitHub's and npm's tokens, as six characters: CRC-32 in base62 (digits, upper case, lower case).
bool ends_in_crc32(std::string_view token);

// What a form of a shape (token_shapes.h) finds at the front of `bytes`: how many characters, or whether more are needed.
struct FormMatch {
  enum class Kind : std::uint8_t { no, yes, more } kind = Kind::no;
  std::size_t size = 0;
};
FormMatch match_form(std::string_view form, std::string_view bytes, bool last);

}  // namespace weir::proxy::leaks
