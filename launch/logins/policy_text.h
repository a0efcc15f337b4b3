// What a run with a login needs: what to say in the policy, and the files that the sandbox sees. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "launch/logins/form.h"
#include "launch/logins/login.h"

namespace weir::launch {

struct LoginParts {
  std::string policy;         // text: `version`, `credentials`, `oauth`; no rules
  std::vector<Mount> mounts;  // with marks in their `content`, and `~` expanded
  std::map<std::string, std::string> environment;  // `~/` at a value's beginning expanded
};

// `account`: the one to use, where the login has several and one is chosen. Errors: "login_account_unknown" says which there are;
// "login_form_invalid": the profile has changed since the login was taken.
Result<LoginParts> login_parts(const Login& login, const LoginForm& form, const std::string& account);

}  // namespace weir::launch
