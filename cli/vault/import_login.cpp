#include "cli/vault/import_login.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/paths.h"
#include "base/text.h"
#include "base/unique_fd.h"
#include "cli/vault/shared.h"
#include "cli/verbs.h"
#include "launch/logins/form.h"

namespace weir::cli {
namespace {

struct LoginText {
  Secret text;
  bool others_can_read = false;
};

std::string on_host(const launch::LoginFile& file) { return home_directory() + file.path.substr(1); }

std::string real_path(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  return real ? std::string(real.get()) : std::string();
}

// Nothing when there is no such file. SECURITY: G2, what somebody else could have put there is not taken for the user's login.
Result<std::optional<LoginText>> read_login(const std::string& path, bool named) {
  const std::string real = real_path(path);
  if (real.empty() && errno == ENOENT) return std::optional<LoginText>{};
  if (real.empty()) return fail_errno("login_unreadable", "cannot open " + printable(path, 300), errno);
  if (!named && !real.starts_with(real_path(home_directory()) + "/"))
    return fail("login_unsafe", printable(path, 300) + " is a link to outside of your home; if it is meant, name it: --file " + printable(real, 300));
  const UniqueFd opened(::open(real.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK));
  struct stat status{};
  if (!opened || ::fstat(opened.get(), &status) != 0) return fail_errno("login_unreadable", "cannot open " + printable(path, 300), errno);
  if (!S_ISREG(status.st_mode)) return fail("login_unsafe", printable(path, 300) + " is not a file");
  if (status.st_uid != geteuid() && status.st_uid != 0) return fail("login_unsafe", printable(path, 300) + " belongs to another user");
  auto text = read_all(opened.get(), printable(path, 300));
  if (!text) return std::unexpected(text.error());
  return std::optional(LoginText{std::move(*text), (status.st_mode & 077U) != 0});
}

}  // namespace

std::string login_entry(const std::string& profile) { return profile + "/login"; }

bool login_is_there(const launch::Profile& profile) {
  return profile.login && ::access(on_host(profile.login->files.front()).c_str(), R_OK) == 0;
}

Result<ImportedLogin> import_login(const launch::Profile& profile, const std::string& named) {
  const launch::Login& login = *profile.login;
  const auto missing = [&](const std::string& path, const char* what) {
    return fail("login_missing", printable(path, 300) + what + (login.missing.empty() ? "" : ": " + login.missing));
  };
  ImportedLogin imported;
  launch::TakenLogin taken;
  const std::string first = named.empty() ? on_host(login.files.front()) : named;
  for (const launch::LoginFile& file : login.files) {
    const bool is_first = &file == &login.files.front();
    if (!is_first && !named.empty()) break;
    const std::string path = is_first ? first : on_host(file);
    const auto text = read_login(path, !named.empty());
    if (!text) return std::unexpected(text.error());
    if (!*text && file.optional) continue;
    if (!*text) return missing(path, " is not there");
    if (auto took = launch::take_login(login, file, (*text)->text.reveal(), taken); !took)
      return fail(took.error().code, printable(path, 300) + ": " + took.error().message);
    if ((*text)->others_can_read) imported.readable.push_back(path);
  }
  if (taken.secrets.empty()) return missing(first, " has no login in it");
  const std::string form = launch::to_json(taken.form);
  if (form.size() > 65536) return fail("login_too_large", printable(first, 300) + " is too large to be kept");
  taken.secrets.emplace_back(login_entry(profile.name), Secret(form));
  auto store = open_or_create_store();
  if (!store) return std::unexpected(store.error());
  auto stored = store->set_all(taken.secrets);
  if (!stored) return std::unexpected(stored.error());
  imported.stored = std::move(*stored);
  imported.left_out = std::move(taken.left_out);
  return imported;
}

int vault_import_login(const VaultArguments& arguments) {
  if (!arguments.prefix.empty() || !arguments.format.empty()) return complain("--prefix and --format are for files of values; --from knows both");
  const auto all = launch::profiles();
  if (!all) return complain(all.error().message);
  std::vector<std::string_view> names;
  const launch::Profile* chosen = nullptr;
  for (const auto& profile : *all) {
    if (!profile.login) continue;
    names.emplace_back(profile.name);
    if (profile.name == arguments.from) chosen = &profile;
  }
  if (chosen == nullptr) {
    std::string known;
    for (const auto name : names) known += (known.empty() ? "" : ", ") + std::string(name);
    return complain("there is no login `" + printable(arguments.from, 80) + "`; those that weir knows: " + known);
  }
  const auto imported = import_login(*chosen, arguments.file);
  if (!imported) return complain(imported.error().message);
  auto out = nlohmann::ordered_json::array();
  for (const auto& [name, version, changed] : imported->stored) {
    if (arguments.json)
      out.push_back({{"name", name}, {"version", version}, {"changed", changed}});
    else
      fmt::print("{}: version {}{}\n", name, version, changed ? " stored" : ", unchanged");
  }
  if (arguments.json) fmt::print("{}\n", out.dump(2));
  for (const auto& name : imported->left_out) fmt::print(stderr, "weir: {} is not known to be part of the login and will be empty inside\n", name);
  for (const auto& file : imported->readable) fmt::print(stderr, "weir: {0} can be read by others; run: chmod 600 {0}\n", printable(file, 300));
  return 0;
}

}  // namespace weir::cli
