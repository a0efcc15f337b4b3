// What a Document must hold whoever made it: the loader says so with a place in the file, Policy::compile() once more
// before anything relies on it. SECURITY: G4.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "policy/document.h"

namespace weir::policy {

struct Problem {
  std::string message;  // "`Host` cannot be set by a credential"
  std::string hint;     // how to mend it; may be empty
};

std::optional<Problem> check_method(std::string_view method);
std::optional<Problem> check_network(std::string_view cidr);
std::optional<Problem> check_header(std::string_view header);
std::optional<Problem> check_format(std::string_view format);
std::optional<Problem> check_source(std::string_view from);  // a credential's `from`
std::optional<Problem> check_name(std::string_view what, std::string_view name);

// Two credentials that would set the same header at one destination: indices into document.credentials.
std::optional<std::pair<std::size_t, std::size_t>> find_conflict(const Document& document);

// Everything above, and what else decide() relies on.
Result<void> check_document(const Document& document);

}  // namespace weir::policy
