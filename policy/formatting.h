// Policy files in their usual form: for `weir policy fmt`, and for what writes policies itself.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "policy/loader.h"

namespace weir::policy {

// The document as a policy file: load_text() of it gives the same document, but for places. Rules and credentials that a
// preset brought in are left to `use`; what has its default value is not written. `comments` stand above the rules: one for
// each of document.rules, without '#', in lines; empty for none.
std::string to_yaml(const Document& document, std::span<const std::string> comments = {});

}  // namespace weir::policy
