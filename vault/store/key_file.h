// The master key in a file of its own: 64 hexadecimal digits, mode 0600.
#pragma once

#include <string>

#include "base/error.h"
#include "base/secret.h"

namespace weir::vault::store {

Result<Secret> read_key_file(const std::string& path);  // 32 octets
// The key that is there, or a new one. Never replaces a file: a key lost is every value lost.
Result<Secret> read_or_create_key_file(const std::string& path);

// The folder of a path, "." when it names none.
std::string folder_of(const std::string& path);

}  // namespace weir::vault::store
