// Profiles: what a known agent needs, so that `weir run -- claude` works with no policy file (launch/profiles/*.yaml).
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/embedded_file.h"
#include "base/error.h"
#include "launch/logins/login.h"
#include "launch/sandbox.h"

namespace weir::launch {

struct ProfileCredential {
  std::string credential;         // name of the preset's credential, e.g. "anthropic"
  std::vector<std::string> from;  // tried in order: "env:ANTHROPIC_API_KEY", "store:anthropic"
  std::string missing;            // what to do when none of them is there
};

struct Profile {
  std::string name;
  std::string description;
  std::vector<std::string> commands;               // command names (basename) that select it; none: for --login alone
  std::string policy;                              // policy text (version: 1, use: […]) used when there is no policy file
  std::vector<Mount> mounts;                       // ~ expanded
  std::map<std::string, std::string> environment;  // set inside, e.g. a placeholder key of the right shape
  std::vector<std::string> pass_environment;
  std::vector<ProfileCredential> credentials;
  std::optional<Login> login;  // what it is logged in with on the host; may stand for the credentials
};

// All profiles: the built-in ones and those in config_directory()/profiles/*.yaml, which win by name.
Result<std::vector<Profile>> profiles();
Result<Profile> parse_profile(std::string_view text, const std::string& name);  // errors with line and column
std::optional<Profile> profile_for_command(const std::vector<Profile>& all, const std::string& command);

}  // namespace weir::launch
