// A profile's `login` as YAML.
#include <algorithm>
#include <array>

#include "launch/yaml_reader.h"

namespace weir::launch {
namespace {

constexpr std::array<std::string_view, 5> kFormats{"json", "yaml", "ini", "npmrc", "urls"};

LoginFormat format_of(const YAML::Node& node) {
  const std::string name = scalar(node, "`format`");
  const auto found = std::find(kFormats.begin(), kFormats.end(), name);
  if (found == kFormats.end()) complain(node, "`format` must be json, yaml, ini, npmrc or urls");
  return static_cast<LoginFormat>(found - kFormats.begin());
}

LoginSecret secret_of(const YAML::Node& path, const YAML::Node& node) {
  LoginSecret secret;
  const std::string place = scalar(path, "where a secret is");
  for (const auto part : split(place, '.')) secret.path.emplace_back(part);
  if (std::find(secret.path.begin(), secret.path.end(), "") != secret.path.end())
    complain(path, "where a secret is is written as names with dots between them: tokens.access_token, auths.*.auth");
  if (node.IsScalar()) {
    secret.credential = scalar(node, "a credential's name");
    return secret;
  }
  each(node, "a secret", std::to_array<std::string_view>({"credential", "coding", "field", "instead"}),
       [&](std::string_view key, const YAML::Node& value) {
         if (key == "credential") secret.credential = scalar(value, "`credential`");
         if (key == "field") secret.field = scalar(value, "`field`");
         if (key == "instead") secret.instead = scalar(value, "`instead`");
         if (key == "coding") {
           const std::string coding = scalar(value, "`coding`");
           if (coding != "base64" && coding != "basic") complain(value, "`coding` must be base64 or basic");
           secret.coding = coding == "basic" ? LoginSecret::Coding::basic : LoginSecret::Coding::base64;
         }
       });
  if (secret.credential.empty()) complain(node, "a secret needs its `credential`");
  if (secret.field.empty() != secret.instead.empty()) complain(node, "`field` and `instead` go together");
  return secret;
}

LoginFile file_of(const YAML::Node& node) {
  LoginFile file;
  each(node, "a login's file",
       std::to_array<std::string_view>({"file", "format", "secrets", "keep", "optional", "only", "otherwise"}),
       [&](std::string_view key, const YAML::Node& value) {
         if (key == "file") {
           file.path = scalar(value, "`file`");
           if (!file.path.starts_with("~/")) complain(value, "`file` must start with `~/`");
         }
         if (key == "format") file.format = format_of(value);
         if (key == "keep") file.keep = list(value, "`keep`");
         if (key == "optional") file.optional = boolean(value, "`optional`");
         if (key == "otherwise") file.otherwise = scalar(value, "`otherwise`");
         if (key == "only") {
           if (!value.IsMap()) complain(value, "`only` must be a mapping (`name: value`)");
           for (const auto& entry : value) file.only[scalar(entry.first, "a name")] = scalar(entry.second, "a value");
         }
         if (key == "secrets") {
           if (!value.IsMap()) complain(value, "`secrets` must be a mapping (`where: credential`)");
           for (const auto& entry : value) file.secrets.push_back(secret_of(entry.first, entry.second));
         }
       });
  if (file.path.empty()) complain(node, "a login's file needs `file`: ~/PATH");
  return file;
}

LoginCredential credential_of(const YAML::Node& name, const YAML::Node& node) {
  LoginCredential credential;
  credential.name = scalar(name, "a credential's name");
  each(node, "a login's credential", std::to_array<std::string_view>({"entry", "hosts", "shapes", "in", "inject"}),
       [&](std::string_view key, const YAML::Node& value) {
         if (key == "entry") credential.entry = scalar(value, "`entry`");
         if (key == "hosts") credential.hosts = list(value, "`hosts`");
         if (key == "shapes") credential.shapes = list(value, "`shapes`");
         if (key == "in") credential.in = list(value, "`in`");
         if (key == "inject") {
           if (scalar(value, "`inject`") != "aws_sigv4") complain(value, "`inject` of a login can only be aws_sigv4");
           credential.aws = true;
         }
       });
  if (credential.entry.empty()) complain(node, "a login's credential needs the `entry` of the vault");
  if (credential.hosts.empty()) complain(node, "a login's credential needs `hosts`");
  if (credential.shapes.empty() != credential.aws)
    complain(node, "a login's credential has either `shapes` of its placeholder or `inject: aws_sigv4`");
  return credential;
}

LoginOAuth oauth_of(const YAML::Node& node) {
  LoginOAuth oauth;
  each(node, "an entry of `oauth`", std::to_array<std::string_view>({"token_url", "keep"}),
       [&](std::string_view key, const YAML::Node& value) {
         if (key == "token_url") oauth.token_url = scalar(value, "`token_url`");
         if (key == "keep") {
           if (!value.IsMap()) complain(value, "`keep` must be a mapping (`member: credential`)");
           for (const auto& entry : value)
             oauth.keep.emplace_back(scalar(entry.first, "a member"), scalar(entry.second, "a credential's name"));
         }
       });
  if (oauth.token_url.empty() || oauth.keep.empty()) complain(node, "an entry of `oauth` needs `token_url` and `keep`");
  return oauth;
}

// Every credential that is named is there.
void check_names(const YAML::Node& node, const Login& login) {
  const auto check = [&](const std::string& name) {
    if (login.credential(name) == nullptr)
      complain(node, "`login` names the credential `" + printable(name, 80) + "`, which is not under its `credentials`");
  };
  for (const auto& file : login.files)
    for (const auto& secret : file.secrets) {
      check(secret.credential);
      if (login.credential(secret.credential)->aws == secret.field.empty())
        complain(node, "`field` is for credentials with `inject: aws_sigv4`, and they need it");
    }
  for (const auto& oauth : login.oauth)
    for (const auto& [member, credential] : oauth.keep) check(credential);
}

}  // namespace

Login login_of(const YAML::Node& node) {
  Login login;
  each(node, "`login`",
       std::to_array<std::string_view>({"files", "credentials", "oauth", "policy", "preset", "without", "environment", "mounts",
                                        "account_variable", "missing"}),
       [&](std::string_view key, const YAML::Node& value) {
         if (key == "files") each_of(value, "`files`", [&](const YAML::Node& item) { login.files.push_back(file_of(item)); });
         if (key == "oauth") each_of(value, "`oauth`", [&](const YAML::Node& item) { login.oauth.push_back(oauth_of(item)); });
         if (key == "mounts") each_of(value, "`mounts`", [&](const YAML::Node& item) { login.mounts.push_back(mount_of(item)); });
         if (key == "policy") login.policy = scalar(value, "`policy`");
         if (key == "preset") login.preset = scalar(value, "`preset`");
         if (key == "without") login.without = list(value, "`without`");
         if (key == "environment") login.environment = variables(value, "`environment`");
         if (key == "account_variable") login.account_variable = scalar(value, "`account_variable`");
         if (key == "missing") login.missing = std::string(trim(scalar(value, "`missing`")));
         if (key == "credentials") {
           if (!value.IsMap()) complain(value, "`credentials` of a login must be a mapping (`name: {entry: …}`)");
           for (const auto& entry : value) {
             if (login.credential(scalar(entry.first, "a credential's name")) != nullptr)
               complain(entry.first, "this credential is given twice in `login`");
             login.credentials.push_back(credential_of(entry.first, entry.second));
           }
         }
       });
  if (login.files.empty()) complain(node, "`login` needs `files`: where the tool keeps its login");
  if (login.credentials.empty()) complain(node, "`login` needs `credentials`");
  check_names(node, login);
  return login;
}

}  // namespace weir::launch
