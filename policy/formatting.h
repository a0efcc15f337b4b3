// Policy files in their usual form: for `weir policy fmt`, and for what writes policies itself.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "policy/loader.h"

namespace weir::policy {

struct Formatted {
  std::string text;                     // when there is no error
  std::vector<Diagnostic> diagnostics;  // why there is none: the loader's, or of what cannot be kept (anchors, tags)
  bool ok() const;
};

// A policy file in its usual form: keys in one order, two spaces for each level, short lists on a line, quotes only where
// they are needed. Comments stay with what they stood above or beside. What the file says does not change: the result is
// loaded again and compared before it is given. Presets that depend on this host are not asked for.
Formatted format_text(std::string_view text, const std::string& file);

// The document as a policy file: load_text() of it gives the same document, but for places. Rules and credentials that a
// preset brought in are left to `use`; what has its default value is not written. `comments` stand above the rules: one for
// each of document.rules, without '#', in lines; empty for none.
std::string to_yaml(const Document& document, std::span<const std::string> comments = {});

}  // namespace weir::policy
