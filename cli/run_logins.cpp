#include "cli/run_logins.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "base/text.h"
#include "cli/vault/import_login.h"
#include "cli/verbs.h"
#include "launch/logins/policy_text.h"
#include "policy/document/check.h"
#include "policy/loader.h"

namespace weir::cli {
namespace {

std::string default_account(const launch::Login& login) {
  const char* named = login.account_variable.empty() ? nullptr : std::getenv(login.account_variable.c_str());
  return named != nullptr && *named != '\0' ? named : "default";
}

Result<launch::LoginForm> form_of(const launch::Profile& profile, vault::Vault& vault) {
  const auto form = fetch_unlocking("store:" + login_entry(profile.name), vault);
  if (!form)
    return fail("login_missing", "the login `" + profile.name + "` is not in weir's vault (" + form.error().message + "); run: weir vault import --from " +
                                     profile.name);
  return launch::form_from_json(form->reveal());
}

// Where an answer from the terminal ends is for the command to read on.
std::string read_answer() {
  std::string answer;
  char c = 0;
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || c == '\n') return answer;
    if (answer.size() < 16) answer.push_back(c);
  }
}

bool overlaps(const policy::HostPattern& a, const policy::HostPattern& b) {
  using Kind = policy::HostPattern::Kind;
  if (a.kind == Kind::any || b.kind == Kind::any) return true;
  const auto below = [](const std::string& name, const std::string& above) { return name.ends_with("." + above); };
  if (a.kind == Kind::exact && b.kind == Kind::exact) return a.name == b.name;
  if (a.kind == Kind::exact) return below(a.name, b.name);
  if (b.kind == Kind::exact) return below(b.name, a.name);
  return a.name == b.name || below(a.name, b.name) || below(b.name, a.name);
}

bool reaches(const policy::Document& document, const policy::Credential& credential) {
  if (document.default_action != policy::Action::deny) return true;
  for (const auto& rule : document.rules) {
    if (rule.action == policy::Action::deny || rule.is_tunnel()) continue;
    for (const auto& to : rule.hosts)
      for (const auto& host : credential.hosts)
        if (overlaps(to, host)) return true;
  }
  return false;
}

}  // namespace

Result<Secret> fetch_unlocking(std::string_view from, vault::Vault& vault) {
  auto secret = vault.fetch(from);
  if (secret || secret.error().code != "vault_locked") return secret;
  if (auto unlocked = vault.unlock(); !unlocked) return std::unexpected(unlocked.error());
  return vault.fetch(from);
}

Result<std::vector<WantedLogin>> wanted_logins(const std::vector<std::string>& given) {
  std::vector<WantedLogin> wanted;
  if (given.empty()) return wanted;
  auto all = launch::profiles();
  if (!all) return std::unexpected(all.error());
  for (const auto& text : given) {
    const auto colon = text.find(':');
    const std::string name = text.substr(0, colon);
    std::vector<std::string_view> names;
    const launch::Profile* found = nullptr;
    for (const auto& profile : *all) {
      if (!profile.login) continue;
      names.emplace_back(profile.name);
      if (profile.name == name) found = &profile;
    }
    if (found == nullptr) {
      std::string known;
      for (const auto one : names) known += (known.empty() ? "" : ", ") + std::string(one);
      return fail("unknown_login", "there is no login `" + printable(name, 80) + "`; those that weir knows: " + known);
    }
    if (colon != std::string::npos && found->login->account_variable.empty())
      return fail("unknown_login", "--login " + printable(text, 80) + ": all accounts of `" + name + "` are taken; none can be chosen");
    if (std::ranges::any_of(wanted, [&](const WantedLogin& one) { return one.profile.name == name; }))
      return fail("unknown_login", "--login " + name + " is given twice");
    wanted.push_back({*found, colon == std::string::npos ? default_account(*found->login) : text.substr(colon + 1)});
  }
  return wanted;
}

WantedLogin own_login(const launch::Profile& profile) { return {profile, default_account(*profile.login)}; }

bool is_imported(const launch::Profile& profile, vault::Vault& vault) {
  return profile.login && fetch_unlocking("store:" + login_entry(profile.name), vault).has_value();
}

bool offer_import(const launch::Profile& profile) {
  if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDERR_FILENO) != 1 || !login_is_there(profile)) return false;
  fmt::print(stderr, "weir: there is no key. Take {}'s login ({}) into weir's vault? [y/N] ", profile.name, profile.login->files.front().path);
  const std::string answer = to_lower(trim(read_answer()));
  if (answer != "y" && answer != "yes") return false;
  const auto imported = import_login(profile, {});
  if (!imported) complain(imported.error().message);
  return imported.has_value();
}

Result<LoginInSandbox> add_login(const WantedLogin& wanted, vault::Vault& vault, policy::Document& document) {
  const std::string what = "login " + wanted.profile.name;
  const auto form = form_of(wanted.profile, vault);
  if (!form) return std::unexpected(form.error());
  auto parts = launch::login_parts(*wanted.profile.login, *form, wanted.account);
  if (!parts) return fail(parts.error().code, what + ": " + parts.error().message);
  auto loaded = policy::load_text(parts->policy, what);
  if (!loaded.ok()) {
    std::string all;
    for (const auto& diagnostic : loaded.diagnostics)
      if (diagnostic.severity == policy::Diagnostic::Severity::error) all += (all.empty() ? "" : "\n") + policy::format(diagnostic);
    return fail("policy_invalid", all);
  }
  std::map<std::string, std::string> names;  // as in the login → in the document
  for (auto& credential : loaded.document.credentials) {
    const auto same = std::ranges::find(document.credentials, credential.from, &policy::Credential::from);
    names[credential.name] = same == document.credentials.end() ? credential.name : same->name;
    if (same != document.credentials.end()) {
      if (credential.substitutes() && !same->substitutes())
        return fail("login_conflict", what + ": the policy's credential `" + same->name + "` is from the same entry, and needs `substitute`");
      continue;
    }
    if (std::ranges::find(document.credentials, credential.name, &policy::Credential::name) != document.credentials.end())
      return fail("login_conflict", what + ": the policy has a credential `" + credential.name + "` of its own; give that another name, or from: " + credential.from);
    document.credentials.push_back(std::move(credential));
  }
  for (auto& capture : loaded.document.oauth) {
    for (auto& [member, credential] : capture.keep) credential = names.at(credential);
    const bool there = std::ranges::any_of(document.oauth, [&](const policy::OAuthCapture& one) {
      return one.host == capture.host && one.port == capture.port && one.path == capture.path && one.keep == capture.keep;
    });
    if (!there) document.oauth.push_back(std::move(capture));
  }
  if (auto good = policy::check_document(document); !good) return fail("login_conflict", what + " beside the policy: " + good.error().message);

  LoginInSandbox inside{std::move(parts->mounts), std::move(parts->environment), wanted.profile.login->without};
  for (auto& mount : inside.mounts)
    if (mount.content)
      mount.content = launch::replace_marks(*mount.content, [&](launch::Mark mark) {
        const auto named = names.find(std::string(mark.name));
        if (named != names.end()) mark.name = named->second;
        return launch::to_text(mark);
      });
  return inside;
}

std::vector<std::string> without_rules(const std::vector<WantedLogin>& logins, const policy::Document& document) {
  std::vector<std::string> names;
  for (const auto& login : logins) {
    const bool reached = std::ranges::any_of(document.credentials, [&](const policy::Credential& credential) {
      return credential.from.starts_with("store:" + login.profile.name + "/") && reaches(document, credential);
    });
    if (!reached) names.push_back(login.profile.name);
  }
  return names;
}

}  // namespace weir::cli
