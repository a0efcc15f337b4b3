// Where the store's files stand, before they are opened.
#pragma once

#include <string>

#include "base/error.h"

namespace weir::vault::store {

// The folder of a path, "." when it names none.
std::string folder_of(const std::string& path);

// Where a symbolic link leads: the file that is to be replaced, and the one that writers take turns at. Any other path, and
// one where nothing is, as it was given. "vault_link" when it leads nowhere.
Result<std::string> resolve_link(const std::string& path);

// "vault_place" when something other than a file is there: a folder, a device, a pipe whose opening would wait for ever.
Result<void> check_is_file(const std::string& path);

// Takes away what a writer that was killed left of this file beside it a minute ago or longer. Call it under the write lock.
void remove_drafts(const std::string& path);

}  // namespace weir::vault::store
