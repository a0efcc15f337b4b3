// What stands behind "vault:" in a credential's source: MOUNT/PATH[?NAME=VALUE&…]#FIELD. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace weir::vault {

struct Reference {
  std::string path;  // without slashes at its ends
  std::vector<std::pair<std::string, std::string>> parameters;
  std::string field;
};

// "vault_source_invalid".
Result<Reference> parse_reference(std::string_view text);

std::string percent_encoded(std::string_view path);  // RFC 3986 §2.1; '/' stays

}  // namespace weir::vault
