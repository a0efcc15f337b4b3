// Takes the login that a tool has on this host into weir's vault: its tokens, an entry each, and its files' form as NAME/login.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "launch/profile.h"
#include "vault/embedded_store.h"

namespace weir::cli {

struct ImportedLogin {
  std::vector<vault::Stored> stored;
  std::vector<std::string> left_out;  // names in the files whose values the sandbox will not see
  std::vector<std::string> readable;  // files that others can read
};

// Whether the tool's file is on this host; says nothing of what is in it.
bool login_is_there(const launch::Profile& profile);

// From the profile's own files, or with `file` from that one alone, as if it were the first. All is stored or nothing is. Errors:
// "login_missing" with what to do, "login_unsafe" (another user's, or led to by a link from home out of it), those of take_login(), and the vault's.
Result<ImportedLogin> import_login(const launch::Profile& profile, const std::string& file);

// The entry that holds the form.
std::string login_entry(const std::string& profile);

}  // namespace weir::cli
