// A login taken apart: its secrets, and its files' form, which is everything but them, with marks where they stood. Pure.
//
// Marks: {placeholder:NAME} stands for the placeholder of the policy's credential NAME; {placeholder:base64:PREFIX:NAME} for the base64
// of what PREFIX is the base64 of, with the placeholder behind it; {made-up:NAME:FIELD} for the `instead` of NAME's field.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/secret.h"
#include "launch/logins/login.h"

namespace weir::launch {

struct LoginForm {
  struct File {
    std::string path;  // begins with "~/"
    std::string text;
    bool operator==(const File&) const = default;
  };
  struct Credential {
    std::string definition;             // name in Login::credentials
    std::string name;                   // in the policy, and in marks
    std::string entry;                  // in the vault
    std::string shape;                  // of the placeholder; empty for AWS
    std::vector<std::string> captures;  // what `{1}`, `{2}` … stand for
    bool operator==(const Credential&) const = default;
  };
  std::vector<File> files;
  std::vector<Credential> credentials;
  bool operator==(const LoginForm&) const = default;
};

struct TakenLogin {
  LoginForm form;
  std::vector<std::pair<std::string, Secret>> secrets;  // entry and value, as many as form.credentials
  std::vector<std::string> left_out;                    // names in the files whose values the sandbox does not see, though weir does not keep them
};

inline constexpr std::size_t kMaxLogin = 1U << 20;  // octets of one file

// Takes one file's secrets into `taken`. What has the name of a secret and is not known, or stands outside of `keep`, is emptied in the form.
// Errors: "login_unreadable" (nothing of the file is in `taken` then); "login_unsuitable" as the file's `only` says. SECURITY: G2.
Result<void> take_login(const Login& login, const LoginFile& file, std::string_view text, TakenLogin& taken);

// As an entry of the vault, in one line; and back ("login_form_invalid").
std::string to_json(const LoginForm& form);
Result<LoginForm> form_from_json(std::string_view text);

struct Mark {
  enum class Kind : std::uint8_t { placeholder, encoded, made_up } kind = Kind::placeholder;
  std::string_view name;
  std::string_view detail;  // encoded: PREFIX; made_up: FIELD
};
std::string replace_marks(std::string_view form, const std::function<std::string(const Mark&)>& replacement);
std::string to_text(const Mark& mark);
Mark inside_mark(std::string_view text);  // of what stands between `{placeholder:` and `}`
std::string encoded_placeholder(const Mark& mark, std::string_view placeholder);  // of kind encoded

}  // namespace weir::launch
