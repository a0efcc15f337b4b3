#include "cli/run_policy.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/encoding.h"
#include "base/file.h"
#include "base/paths.h"
#include "cli/learned_policy.h"
#include "cli/project_policy.h"
#include "launch/package_sources.h"
#include "policy/loader.h"

namespace weir::cli {
namespace {

// Anything else (a locked or damaged store, a file that others can read) is the user's to mend, and no reason to look further.
bool says_nothing_is_there(const Error& error) {
  return error.code == "vault_missing" || error.code == "vault_entry_missing" || error.code == "vault_env_unset" ||
         error.code == "vault_file_missing";
}

// Where each credential of a profile's policy is to be had on this host.
Result<void> find_credentials(const launch::Profile& profile, vault::Vault& vault, policy::Document& document) {
  for (const auto& wanted : profile.credentials) {
    for (auto& credential : document.credentials) {
      if (credential.name != wanted.credential) continue;
      bool found = false;
      for (const auto& from : wanted.from) {
        const auto secret = fetch_unlocking(from, vault);
        if (!secret && !says_nothing_is_there(secret.error())) return std::unexpected(secret.error());
        if (!secret) continue;
        credential.from = from;
        credential.place = {};  // no longer as a preset has it, for whoever writes the policy down
        found = true;
        break;
      }
      if (!found) return fail("credential_missing", wanted.missing);
    }
  }
  return {};
}

bool has_key(const launch::Profile& profile, vault::Vault& vault) {
  return std::ranges::all_of(profile.credentials, [&](const launch::ProfileCredential& wanted) {
    return std::ranges::any_of(wanted.from, [&](const std::string& from) { return fetch_unlocking(from, vault).has_value(); });
  });
}

bool is_file(const std::string& chosen) { return !chosen.starts_with("profile ") && chosen != kNoPolicy; }

bool is_within(const std::filesystem::path& path, const std::string& folder) {
  std::error_code error;
  const auto whole = std::filesystem::weakly_canonical(path, error);
  const auto above = std::filesystem::weakly_canonical(folder, error);
  return std::mismatch(above.begin(), above.end(), whole.begin(), whole.end()).first == above.end();
}

}  // namespace

Result<void> PolicyChoice::choose_logins(const std::vector<std::string>& given, vault::Vault& vault) {
  auto wanted = wanted_logins(given);
  if (!wanted) return std::unexpected(wanted.error());
  logins_ = std::move(*wanted);
  if (!profile_ || !profile_->login || !file_.starts_with("profile ")) return {};
  const bool asked_for = std::ranges::any_of(logins_, [&](const WantedLogin& one) { return one.profile.name == profile_->name; });
  if (!asked_for && has_key(*profile_, vault)) return {};
  profile_by_login_ = asked_for || is_imported(*profile_, vault) || offer_import(*profile_);
  if (profile_by_login_ && !asked_for) logins_.push_back(own_login(*profile_));
  return {};
}

Result<keeper::LoadedPolicy> PolicyChoice::load(vault::Vault& vault, std::vector<LoginInSandbox>* inside) const {
  std::string text = "version: 1\n";
  const bool from_profile = file_.starts_with("profile ");
  if (from_profile) {
    text = profile_by_login_ ? profile_->login->policy : profile_->policy;
  } else if (is_file(file_)) {
    auto read = read_file(file_);
    if (!read) return fail(read.error().code, "policy: " + read.error().message);
    text = std::move(*read);
  }
  auto loaded = policy::load_text(text, file_, launch::PackagePresets{writable_});
  if (!loaded.ok()) {
    std::string all;
    for (const auto& diagnostic : loaded.diagnostics) all += (all.empty() ? "" : "\n") + policy::format(diagnostic);
    return fail("policy_invalid", all);
  }
  if (from_profile && !profile_by_login_)
    if (auto found = find_credentials(*profile_, vault, loaded.document); !found) return std::unexpected(found.error());
  std::vector<WantedLogin> logins = logins_;
  if (profile_ && profile_->login && std::ranges::find(loaded.document.use, profile_->login->preset) != loaded.document.use.end() &&
      std::ranges::none_of(logins, [&](const WantedLogin& one) { return one.profile.name == profile_->name; }))
    logins.push_back(own_login(*profile_));
  for (const auto& login : logins) {
    auto added = add_login(login, vault, loaded.document);
    if (!added) return std::unexpected(added.error());
    if (inside != nullptr) inside->push_back(std::move(*added));
  }
  if (inside != nullptr)
    for (const auto& name : without_rules(logins, loaded.document))
      std::fprintf(stderr, "weir: no rule of the policy reaches the hosts of the login `%s`, so it is of no use\n", name.c_str());
  return keeper::LoadedPolicy{std::move(loaded.document), sha256_label(text)};
}

std::string PolicyChoice::file_to_watch() const {
  if (!is_file(file_)) return {};
  std::error_code error;
  const auto path = std::filesystem::absolute(file_, error).lexically_normal();
  const bool reachable = std::ranges::any_of(writable_, [&](const std::string& folder) {
    return is_within(path, folder) || is_within(path.parent_path(), folder);  // what it leads to, and where its name stands
  });
  return reachable || error ? std::string() : path.string();
}

void PolicyChoice::accept() const {
  std::error_code error;
  if (is_file(file_)) accept_policy(std::filesystem::absolute(file_, error).lexically_normal().string());
}

Result<PolicyChoice> choose_policy(const std::string& named, const std::optional<launch::Profile>& profile, const std::string& project,
                                   const std::vector<std::string>& writable, const std::string& command, bool learns) {
  const std::string own = project + "/weir.yaml";
  const std::string users = config_directory() + "/weir.yaml";
  std::string file = named;
  if (!file.empty()) {
    std::error_code error;
    if (std::filesystem::equivalent(file, own, error)) accept_policy(own);
  } else if (::access(own.c_str(), F_OK) == 0) {
    file = own;
    if (may_be_a_sandboxs_work(file))
      return fail("policy_unreviewed", file + " was changed while a sandbox could write to its folder, so it may be the sandbox's work; read it, "
                                              "then run once with --policy weir.yaml to accept it, or delete it");
  } else if (::access(users.c_str(), F_OK) == 0) {
    file = users;
  } else if (profile && !profile->policy.empty()) {
    file = "profile " + profile->name;
  } else if (learns) {
    file = kNoPolicy;
  } else {
    return fail("no_policy", "there is no policy for `" + command + "`: give one with --policy FILE, or write weir.yaml here or in " +
                                 config_directory() + " (`weir profiles` lists the commands that need none)");
  }
  return PolicyChoice(std::move(file), profile, writable);
}

}  // namespace weir::cli
