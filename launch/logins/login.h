// How a tool is logged in on the host: its files, what in them is secret, and how weir is to use that (a profile's `login`).
// A value. docs/logins.md says what each key means.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "launch/sandbox.h"

namespace weir::launch {

// How a login's file is written. Each reader knows just the form in which the tools write it.
enum class LoginFormat : std::uint8_t {
  json,    // RFC 8259
  yaml,    // mappings by indentation, plain and simply quoted values (gh's hosts.yml)
  ini,     // [section], key = value, indented keys below a key (aws)
  npmrc,   // key = value; `//host/path/:key` is the key `key` of `//host/path/`
  urls  // one URL with user and password in each line (git's credential store)
};

// One secret in a file. In names and texts of a login `{1}`, `{2}` … stand for what the `*` of `path` met, `{host}` for the host
// (and port) of `{1}`.
struct LoginSecret {
  std::vector<std::string> path;  // names from the top; "*" is any one
  std::string credential;         // of Login::credentials
  enum class Coding : std::uint8_t { text, base64, basic } coding = Coding::text;  // basic: base64 of USER:SECRET
  std::string field;    // the credential is a JSON object (keys for AWS), and this is one of its members
  std::string instead;  // what the sandbox sees, where a placeholder would be no use
};

struct LoginFile {
  std::string path;  // begins with "~/"
  LoginFormat format = LoginFormat::json;
  std::vector<LoginSecret> secrets;
  std::vector<std::string> keep;  // names at the top of which the sandbox may see what is below; empty: all
  bool optional = false;
  std::map<std::string, std::string> only;  // top-level name: the value that it must have
  std::string otherwise;                    // what to do when it has another
};

// What a policy says of a credential, with `{1}` and `{host}` open. `name` is as written under `credentials`.
struct LoginCredential {
  std::string name;
  std::string entry;                // of weir's vault
  std::vector<std::string> hosts;
  std::vector<std::string> shapes;  // of the placeholder: the first whose beginning is the value's own
  std::vector<std::string> in;      // empty: [header]
  bool aws = false;                 // signs for AWS instead of standing in a placeholder's place
};

struct LoginOAuth {
  std::string token_url;
  std::vector<std::pair<std::string, std::string>> keep;  // member of the answer → name of a credential
};

struct Login {
  std::vector<LoginFile> files;
  std::vector<LoginCredential> credentials;
  std::vector<LoginOAuth> oauth;
  std::string policy;                              // used instead of the profile's own, with the login
  std::string preset;                              // a policy that uses this preset takes the login
  std::vector<std::string> without;                // variables of the profile that are not set with the login
  std::map<std::string, std::string> environment;  // set with the login
  std::vector<Mount> mounts;                       // more files that the tool needs to believe in its login
  std::string account_variable;  // one account of several is used: the one that this variable names, else `default`
  std::string missing;           // what to do when the file has no secret, or is not there

  const LoginCredential* credential(std::string_view name) const {
    for (const auto& one : credentials)
      if (one.name == name) return &one;
    return nullptr;
  }
};

}  // namespace weir::launch
