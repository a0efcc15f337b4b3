// Which policy a `weir run` goes by, and how to load it: at the start, and again while it runs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/run_logins.h"
#include "keeper/prepared_policy.h"
#include "launch/profile.h"
#include "vault/vault.h"

namespace weir::cli {

class PolicyChoice {
 public:
  PolicyChoice(std::string file, std::optional<launch::Profile> profile, std::vector<std::string> writable)
      : file_(std::move(file)), profile_(std::move(profile)), writable_(std::move(writable)) {}

  // Which logins go with it: those of --login; and the profile's own, where it has no key, or is asked for one and gets the login instead.
  Result<void> choose_logins(const std::vector<std::string>& given, vault::Vault& vault);

  // Reads the file anew (or the profile's text), asks tools of this host where presets need it, finds a profile's credentials, adds logins.
  // `inside`, when given: what the sandbox gets of the logins. Errors: "policy_invalid" with all that is wrong, or why something cannot be had.
  Result<keeper::LoadedPolicy> load(vault::Vault& vault, std::vector<LoginInSandbox>* inside = nullptr) const;

  // The absolute path of a file whose changes may be believed: one outside of what the sandbox can write to. Else empty.
  // SECURITY: G4.
  std::string file_to_watch() const;

  // Somebody has asked for the file as it is now: believe it from here on, also where the sandbox could have changed it.
  void accept() const;

 private:
  std::string file_;  // or a name for messages: "profile NAME", kNoPolicy
  std::optional<launch::Profile> profile_;
  std::vector<std::string> writable_;
  std::vector<WantedLogin> logins_;
  bool profile_by_login_ = false;  // the profile's policy is the one for its login
};

// The file named with --policy, else the project's, else the user's, else the profile's; with `learns`, else an empty one.
// `writable`: folders that the sandbox can write to. Errors: "policy_unreviewed", "no_policy".
Result<PolicyChoice> choose_policy(const std::string& named, const std::optional<launch::Profile>& profile, const std::string& project,
                                   const std::vector<std::string>& writable, const std::string& command, bool learns);

}  // namespace weir::cli
