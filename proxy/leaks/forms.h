// A text in each form in which it is likely to stand, as octets to be searched for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "proxy/leaks/needles.h"

namespace weir::proxy::leaks {

// How the octets that are searched for are held against those that are there: which of them have no case.
enum class Comparison : std::uint8_t { exact, hex, percent, escapes };

struct Literal {
  std::uint32_t at = 0, size = 0;  // in the octets of all
  std::uint32_t id = 0;
  Form form = Form::raw;
  Comparison comparison = Comparison::exact;
  std::uint8_t window = 0;  // where the grams that find it begin (literal_matcher.h)
};

struct Literals {
  std::vector<Literal> list;  // nothing secret: places, sizes, forms
  Secret octets;
};

// All forms of all texts that are long enough, each once. A private key in PEM form (RFC 7468) is looked for line by line too: it may
// stand with other line ends, or in part.
Literals all_forms(std::span<const Needle> needles);

// One character of a form, without the rest of it: as NameNeedles reads texts (`index` counts characters of the form).
char hex_digit(std::string_view text, std::size_t index);
// Base32 (RFC 4648 §6) in lower case of the text without its first `skipped` octets.
char base32_character(std::string_view text, std::size_t skipped, std::size_t index);
// Base64url (RFC 4648 §5) as above.
char base64_character(std::string_view text, std::size_t skipped, std::size_t index);

}  // namespace weir::proxy::leaks
