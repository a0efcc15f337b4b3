#include "launch/package_sources/surroundings.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "launch/process/layers.h"

namespace weir::launch {

namespace {

namespace fs = std::filesystem;

// Links are followed also where what they lead to does not exist yet: a sandbox could make it.
std::string without_links(const std::string& path) {
  constexpr int kMostLinks = 40;  // as the kernel has it
  std::vector<std::string> ahead;  // components still to be walked, the next one last
  const auto put_ahead = [&](const std::string& text) {
    const auto parts = split(text, '/');
    for (auto part = parts.rbegin(); part != parts.rend(); ++part)
      if (!part->empty() && *part != ".") ahead.emplace_back(*part);
  };
  put_ahead(path);
  fs::path out = "/";
  for (int links = 0; !ahead.empty();) {
    const std::string part = std::move(ahead.back());
    ahead.pop_back();
    if (part == "..") {
      out = out.parent_path();
      continue;
    }
    std::error_code error;
    const auto target = fs::read_symlink(out / part, error);
    if (error || ++links > kMostLinks) {
      out /= part;
      continue;
    }
    if (target.is_absolute()) out = "/";
    put_ahead(target.string());
  }
  return out.string();
}

// A folder to which anybody on the host can write is no place for programs, sticky bit or not.
bool anybody_can_write(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) != 0 || (status.st_mode & S_IWOTH) != 0;
}

bool is_program(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

bool starts_with_ignoring_case(std::string_view text, std::string_view start) {
  return equals_ignoring_case(text.substr(0, start.size()), start);
}

}  // namespace

Surroundings::Surroundings(const std::map<std::string, std::string>& environment, const std::vector<std::string>& writable)
    : environment_(environment) {
  for (const auto& folder : writable) writable_.push_back(without_links(folder));
  home_ = variable("HOME");

  // `npm run` hands a project's .npmrc on to its scripts as variables of the same form as the user's own. SECURITY: G4.
  if (environment_.contains("npm_lifecycle_event") || environment_.contains("npm_config_local_prefix")) {
    const auto dropped = std::erase_if(environment_, [](const auto& variable) {
      return starts_with_ignoring_case(variable.first, "npm_config_") || starts_with_ignoring_case(variable.first, "npm_package_");
    });
    if (dropped > 0)
      notes_.emplace_back("what npm_config_ variables say, since weir was started by npm, which passes a project's .npmrc on in them");
  }
  std::string left_out;
  std::erase_if(environment_, [&](const auto& variable) {
    const auto& [name, value] = variable;
    if (name == "HOME" || name == "PATH") return false;
    if (name == "PWD" || name == "OLDPWD") return true;
    if (!points_into_sandbox(value)) return false;
    left_out += (left_out.empty() ? "" : ", ") + name;
    return true;
  });
  if (!left_out.empty()) notes_.push_back("what these variables say, since they point to where a sandbox can write: " + left_out);
  environment_["LC_ALL"] = "C.UTF-8";

  const std::string given = variable("PATH").empty() ? "/usr/local/bin:/usr/bin:/bin" : variable("PATH");
  std::string path;
  for (const auto folder : split(given, ':')) {
    const std::string text(folder);
    if (!text.starts_with('/') || in_sandbox_hands(text) || anybody_can_write(text)) {
      if (text.starts_with('/')) skipped_.push_back(text);
      continue;
    }
    path_.push_back(text);
    path += (path.empty() ? "" : ":") + text;
  }
  environment_["PATH"] = path;
}

std::string Surroundings::variable(const std::string& name) const {
  const auto found = environment_.find(name);
  return found == environment_.end() ? "" : found->second;
}

bool Surroundings::in_sandbox_hands(const std::string& path) const {
  if (!path.starts_with('/')) return false;
  const std::string plain = without_links(path);
  return std::ranges::any_of(writable_, [&](const auto& folder) { return is_within(plain, folder); });
}

// Values are looked through for paths whatever their form is: lists, options, file: URLs.
bool Surroundings::points_into_sandbox(std::string_view value) const {
  constexpr std::string_view kSeparators = ":;, \t\n='\"@";
  for (std::size_t start = 0; start < value.size();) {
    const auto end = std::min(value.find_first_of(kSeparators, start), value.size());
    std::string token(value.substr(start, end - start));
    if (token.starts_with("~/")) token = home_ + token.substr(1);
    if (token.starts_with('/')) {
      token = token.substr(token.find_first_not_of('/') == std::string::npos ? token.size() - 1 : token.find_first_not_of('/') - 1);
      if (in_sandbox_hands(token)) return true;
    }
    start = end + 1;
  }
  // A folder's name may hold a separator; then it is found as it is.
  return value.starts_with('/') && in_sandbox_hands(std::string(value));
}

Result<std::string> Surroundings::find(const std::string& program) const {
  for (const auto& folder : path_) {
    std::string candidate = folder + "/" + program;
    if (is_program(candidate) && !in_sandbox_hands(candidate) && !anybody_can_write(without_links(candidate))) return candidate;
  }
  for (const auto& folder : skipped_)
    if (is_program(folder + "/" + program))
      return fail("tool_untrusted", program + " is on this host only as " + printable(folder + "/" + program, 300) +
                                        ", where a sandbox or anybody can write, so it is not asked (install it elsewhere, or "
                                        "write rules for its hosts)");
  return fail("tool_missing", program + " is not installed on this host (install it, or write rules for its hosts)");
}

}  // namespace weir::launch
