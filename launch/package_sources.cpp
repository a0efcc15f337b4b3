#include "launch/package_sources.h"

#include <algorithm>
#include <filesystem>
#include <future>

#include "base/paths.h"
#include "base/text.h"
#include "launch/package_sources/tool.h"
#include "launch/package_sources/tools.h"
#include "launch/process/environment.h"
#include "launch/process/layers.h"

namespace weir::launch {

namespace {

// The folders that sandboxes can write to. A current folder that holds the home folder is never a sandbox's project.
std::vector<std::string> writable_folders(const std::vector<std::string>& given, const std::string& home) {
  auto all = given;
  std::error_code error;
  const auto here = std::filesystem::current_path(error).string();
  if (!error && !here.empty() && !is_within(resolved(home), resolved(here))) all.push_back(here);
  return all;
}

// By the host's own name service, files included, as packages will be resolved. Two seconds: a name that takes longer is
// left without private addresses.
std::vector<std::string> addresses_of(const Surroundings& surroundings, const std::string& host) {
  const auto getent = surroundings.find("getent");
  if (!getent) return {};
  const auto said = ask_tool({.program = *getent,
                              .arguments = {"ahosts", host},
                              .environment = surroundings.environment(),
                              .time_limit = std::chrono::seconds(2)});
  std::vector<std::string> out;
  if (said)
    for (const auto line : split(*said, '\n'))
      if (!line.empty()) out.emplace_back(line.substr(0, line.find(' ')));
  return out;
}

}  // namespace

Result<void> check_configuration(const Surroundings& host, std::string_view tool, const std::string& file) {
  if (!host.in_sandbox_hands(file)) return {};
  return fail("tool_untrusted", std::string(tool) + " reads " + printable(file, 300) +
                                    ", where a sandbox can write, so what it says may be the sandbox's (keep it elsewhere, or "
                                    "write rules for its hosts)");
}

Result<std::string> package_preset(std::string_view name, const std::vector<std::string>& sandbox_writable) {
  auto environment = host_environment();
  const std::string home = home_directory();
  environment["HOME"] = home;
  const Surroundings host(environment, writable_folders(sandbox_writable, home));
  if (host.in_sandbox_hands(home))
    return fail("tool_untrusted", "your home folder is writable for the sandbox, so what " + std::string(name) +
                                      " is configured to use may be the sandbox's work (write rules for its hosts)");
  using Ask = Result<Findings> (*)(const Surroundings&);
  constexpr std::pair<std::string_view, Ask> kTools[] = {
      {"npm", ask_npm}, {"pip", ask_pip}, {"cargo", ask_cargo}, {"go", ask_go}, {"apt", ask_apt}};
  const auto tool = std::ranges::find(kTools, name, &std::pair<std::string_view, Ask>::first);
  if (tool == std::end(kTools)) return fail("tool_missing", "there is no package manager of that name that weir can ask");
  auto found = tool->second(host);
  if (!found) return std::unexpected(found.error());
  for (const auto& note : host.notes()) found->notes.push_back(note);
  return preset_text(name, *found, [&](const std::string& at) { return addresses_of(host, at); });
}

}  // namespace weir::launch
