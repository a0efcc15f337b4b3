// Finds placeholders in text, also where their characters stand escaped. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "proxy/credentials/beginnings.h"
#include "proxy/credentials/substitution.h"
#include "proxy/credentials/wiped_text.h"

namespace weir::proxy {

// How characters may be written in a text, besides as they are: `%2F` (RFC 3986 §2.1), or `\/` and `\u002f` (RFC 8259 §7).
enum class Escapes : std::uint8_t { none, percent, json };

class PlaceholderSearch {
 public:
  explicit PlaceholderSearch(Escapes escapes);
  void reserve(std::size_t count) { replacements_.reserve(count); }
  void add(const Replacement& replacement);  // outlives the search; one without a placeholder is never found
  bool empty() const { return replacements_.empty(); }

  // Where a text is read: `at` is never inside an escape but where a piece ended in one, whose digits may still follow.
  struct Cursor {
    std::size_t at = 0;
    std::uint8_t open_digits = 0;
  };
  struct Found {
    const Replacement* what =
        nullptr;  // none: the text up to `begin` has no placeholder; what follows may be the start of one
    std::size_t begin = 0, end = 0;
  };
  // The next placeholder from the cursor on: the leftmost, and of those that begin there the longest. The cursor goes to its
  // end, or to `begin`. `last`: nothing follows the text.
  Found next(std::string_view text, Cursor& cursor, bool last) const;

  // Puts each placeholder's value in its place, escaped as the text is. Gives how many there were; where there were none,
  // nothing is written to `out`. Errors as append_value().
  Result<std::size_t> replace_all(std::string_view text, WipedText& out) const;

  // "credential_unusable": it is empty, or no UTF-8 where JSON has it.
  Result<void> append_value(const Replacement& replacement, WipedText& out) const;

 private:
  enum class Match : std::uint8_t { none, whole, cut };  // cut: all matches as far as the text goes
  Match match(std::string_view text, std::size_t& at, std::string_view placeholder) const;
  Match match_escape(std::string_view text, std::size_t& at, char wanted) const;
  void pass_unit(std::string_view text, Cursor& cursor) const;

  Escapes escapes_;
  std::vector<const Replacement*> replacements_;
  Beginnings beginnings_;
};

}  // namespace weir::proxy
