// The placeholders of one sandbox: random, made once for each credential that substitutes, the same through every reload of the
// policy. What the sandbox holds in a secret's place; no secret themselves.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "launch/sandbox.h"
#include "policy/document.h"

namespace weir::keeper {

class Placeholders {
 public:
  // One for each credential of the document, in their order; empty where it does not substitute. `value_of(index)`: the
  // credential's value now, empty where there is none: `{claims}` in a shape stands for its first two parts, where it is a JWT
  // (RFC 7519), which tools read and which are no secret.
  std::vector<std::string> of(const policy::Document& document, const std::function<std::string_view(std::size_t)>& value_of);

  // Puts them where the sandbox is to find them: into the variables that credentials name, and in the place of `{placeholder:NAME}`
  // in variables and in files that are made for it (or `{placeholder:base64:PREFIX:NAME}`, see launch/logins/form.h). "placeholder_unknown": no credential NAME substitutes; "variable_taken":
  // a variable of that name is asked to be passed in from the host, and may be the secret itself.
  Result<void> fill(const policy::Document& document, launch::SandboxSpec& spec) const;

 private:
  Result<std::string> filled(std::string_view text) const;
  std::map<std::pair<std::string, std::string>, std::string> made_;  // by credential and shape
  std::map<std::string, std::string> named_;                         // by credential: the last
};

}  // namespace weir::keeper
