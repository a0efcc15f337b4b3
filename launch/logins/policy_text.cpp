#include "launch/logins/policy_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/paths.h"
#include "base/text.h"
#include "launch/logins/templates.h"

namespace weir::launch {
namespace {

// A string, or a list of strings, in YAML: JSON is a part of it.
std::string yaml(const nlohmann::json& value) { return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace); }

std::string credential_text(const LoginCredential& definition, const LoginForm::Credential& one) {
  std::string text = "  " + yaml(one.name) + ":\n    from: " + yaml("store:" + one.entry) +
                     "\n    hosts: " + yaml(expand_hosts(definition.hosts, one.captures)) + "\n";
  if (definition.aws) return text + "    inject: {aws_sigv4: {}}\n";
  // An agent that has read its own login file sends it along with every later request to its model: worth nothing there, and no reason to stop it.
  return text + "    substitute: {shape: " + yaml(one.shape) + (definition.in.empty() ? "" : ", in: " + yaml(definition.in)) + ", elsewhere: log}\n";
}

// Those that are only known once something logs in inside: named by `oauth`, and in no file.
std::vector<LoginForm::Credential> with_expected(const Login& login, std::vector<LoginForm::Credential> credentials) {
  for (const auto& oauth : login.oauth)
    for (const auto& [member, name] : oauth.keep) {
      const auto& definition = *login.credential(name);
      const auto there = [&](const LoginForm::Credential& one) { return one.definition == name; };
      if (is_template(name) || std::ranges::any_of(credentials, there)) continue;
      credentials.push_back({name, name, definition.entry, definition.shapes.back(), {}});
    }
  return credentials;
}

std::string oauth_text(const Login& login, const std::vector<LoginForm::Credential>& credentials) {
  std::set<std::vector<std::string>> accounts;
  for (const auto& one : credentials) accounts.insert(one.captures);
  std::string text;
  std::set<std::string> urls;
  for (const auto& oauth : login.oauth)
    for (const auto& captures : accounts) {
      nlohmann::json keep = nlohmann::json::object();
      for (const auto& [member, name] : oauth.keep)
        for (const auto& one : credentials)
          if (one.definition == name && one.captures == captures) keep[member] = one.name;
      const std::string url = expand(oauth.token_url, captures);
      if (keep.empty() || !urls.insert(url).second) continue;
      text += "  - {token_url: " + yaml(url) + ", keep: " + yaml(keep) + "}\n";
    }
  return text.empty() ? text : "oauth:\n" + text;
}

std::string accounts_of(const std::vector<LoginForm::Credential>& credentials) {
  std::string names;
  for (const auto& one : credentials)
    if (!one.captures.empty()) names += (names.empty() ? "" : ", ") + printable(one.captures.front(), 80);
  return names;
}

}  // namespace

Result<LoginParts> login_parts(const Login& login, const LoginForm& form, const std::string& account) {
  auto credentials = form.credentials;
  for (const auto& one : credentials)
    if (login.credential(one.definition) == nullptr)
      return fail("login_form_invalid", "the login was taken for another version of its profile; import it again");
  if (!login.account_variable.empty()) {
    std::erase_if(credentials, [&](const LoginForm::Credential& one) { return !one.captures.empty() && one.captures.front() != account; });
    if (credentials.empty())
      return fail("login_account_unknown", "there is no account `" + printable(account, 80) + "`; there are: " + accounts_of(form.credentials));
  }
  credentials = with_expected(login, std::move(credentials));

  LoginParts parts;
  parts.policy = "version: 1\ncredentials:\n";
  for (const auto& one : credentials) parts.policy += credential_text(*login.credential(one.definition), one);
  parts.policy += oauth_text(login, credentials);

  const auto instead = [&](const LoginForm::Credential& one, std::string_view field) -> std::string {
    for (const auto& file : login.files)
      for (const auto& secret : file.secrets)
        if (secret.credential == one.definition && secret.field == field) return secret.instead;
    return {};
  };
  for (const auto& file : form.files) {
    Mount mount;
    mount.target = home_directory() + file.path.substr(1);
    mount.is_file = true;
    // The accounts that are not used have nothing where their secrets stood.
    mount.content = replace_marks(file.text, [&](const Mark& mark) -> std::string {
      for (const auto& one : credentials)
        if (one.name == mark.name) return mark.kind == Mark::Kind::made_up ? instead(one, mark.detail) : to_text(mark);
      return {};
    });
    parts.mounts.push_back(std::move(mount));
  }
  for (const auto& mount : login.mounts) parts.mounts.push_back(mount);
  for (const auto& [name, value] : login.environment)
    parts.environment[name] = value.starts_with("~/") ? home_directory() + value.substr(1) : value;
  return parts;
}

}  // namespace weir::launch
