// Whole files, for configuration and keys. Errors name the path.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"

namespace weir {

Result<std::string> read_file(const std::string& path, std::size_t limit = 64U << 20);

// A file that holds a secret: a regular file of ours (or root's) that group and others cannot read (0600 or less).
// Anything else is an error that names the mode found. One trailing newline is not part of the value.
Result<Secret> read_secret_file(const std::string& path, std::size_t limit = 1U << 20);

// All or nothing: a temporary file beside it, fsync, rename, fsync of the folder. `mode` as for open(2).
Result<void> replace_file(const std::string& path, std::string_view content, unsigned mode);

Result<void> make_directories(const std::string& path, unsigned mode);  // like mkdir -p; `mode` for each one made

}  // namespace weir
