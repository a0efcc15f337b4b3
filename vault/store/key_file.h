// The master key in a file of its own: 64 hexadecimal digits, mode 0600.
#pragma once

#include <string>

#include "base/error.h"
#include "base/secret.h"

namespace weir::vault::store {

Result<Secret> read_key_file(const std::string& path);  // 32 octets
// The key that is there, or a new one. Never replaces a file: a key lost is every value lost.
Result<Secret> read_or_create_key_file(const std::string& path);

// Where a rekey was cut off between its two files, the new key waits here, beside the old one.
inline std::string next_key_file(const std::string& path) { return path + ".next"; }

}  // namespace weir::vault::store
