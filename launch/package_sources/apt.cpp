// apt: the repositories of its sources. Each one's index and packages lie below its URI (sources.list(5)).
#include <algorithm>

#include "base/text.h"
#include "launch/package_sources/tool.h"
#include "launch/package_sources/tools.h"

namespace weir::launch {

AptSources read_apt(std::string_view lines) {
  AptSources found;
  const auto add_once = [](std::vector<std::string>& to, std::string value) {
    if (std::ranges::find(to, value) == to.end()) to.push_back(std::move(value));
  };
  std::vector<std::string> seen;
  for (const auto line : split(lines, '\n')) {
    const auto space = line.find(' ');
    const std::string uri(line.substr(0, space));
    if (uri.empty()) continue;
    if (space != std::string_view::npos) add_once(found.files, std::string(line.substr(space + 1, line.rfind(':') - space - 1)));
    if (std::ranges::find(seen, uri) != seen.end()) continue;
    seen.push_back(uri);
    const auto scheme = uri.substr(0, uri.find(':'));
    if (scheme == "file" || scheme == "copy" || scheme == "cdrom") continue;  // not over the network
    found.findings.origins.push_back(Origin{.role = "repository", .url = uri});
  }
  std::erase_if(found.files, [](const auto& file) { return !file.starts_with('/'); });
  return found;
}

Result<Findings> ask_apt(const Surroundings& host) {
  const auto apt = host.find("apt-get");
  if (!apt) return fail(apt.error().code, apt.error().code == "tool_missing" ? "apt is not installed on this host (install it, or write rules for its hosts)" : apt.error().message);
  // --no-release-info: also of repositories whose index has not been fetched yet.
  const ToolCall call{.program = *apt,
                      .arguments = {"indextargets", "--no-release-info", "--format", "$(REPO_URI) $(SOURCESENTRY)"},
                      .environment = host.environment()};
  const auto said = ask_tool(call);
  if (!said) return std::unexpected(said.error());
  auto found = read_apt(*said);
  for (const auto& file : found.files)
    if (auto good = check_configuration(host, "apt", file); !good) return std::unexpected(good.error());
  found.findings.asked = {command_line(call)};
  return std::move(found.findings);
}

}  // namespace weir::launch
