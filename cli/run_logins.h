// The logins that a `weir run` takes with it (docs/logins.md): imported ones, added to whatever policy is in force.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "launch/profile.h"
#include "policy/document.h"
#include "vault/vault.h"

namespace weir::cli {

struct WantedLogin {
  launch::Profile profile;  // one with a `login`
  std::string account;
};

// What the sandbox gets of a login; the files' content has marks for the keeper.
struct LoginInSandbox {
  std::vector<launch::Mount> mounts;
  std::map<std::string, std::string> environment;
  std::vector<std::string> without;  // variables of the profile that must not be set
};

// `given`: NAME or NAME:ACCOUNT, as --login has it. Errors: "unknown_login".
Result<std::vector<WantedLogin>> wanted_logins(const std::vector<std::string>& given);
WantedLogin own_login(const launch::Profile& profile);

// vault.fetch(), which asks for the vault's passphrase where it is locked.
Result<Secret> fetch_unlocking(std::string_view from, vault::Vault& vault);

bool is_imported(const launch::Profile& profile, vault::Vault& vault);

// Asks, where there is somebody at a terminal to ask and the host has a login, whether it is to be imported; and does it.
bool offer_import(const launch::Profile& profile);

// Adds the login's credentials and token endpoints to the document. One whose entry the document has under another name is that one. Errors: "login_missing"
// (not imported), "login_conflict", those of login_parts().
Result<LoginInSandbox> add_login(const WantedLogin& wanted, vault::Vault& vault, policy::Document& document);

// The logins' names, if no rule lets a request through to any of its hosts.
std::vector<std::string> without_rules(const std::vector<WantedLogin>& logins, const policy::Document& document);

}  // namespace weir::cli
