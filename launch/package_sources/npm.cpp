// npm: `registry`, and `@scope:registry` for each scope, as npm's own configuration gives them.
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "launch/package_sources/tool.h"
#include "launch/package_sources/tools.h"

namespace weir::launch {

Result<NpmConfiguration> read_npm(std::string_view list) {
  NpmConfiguration found;
  for (const auto line : split(list, '\n')) {
    const auto equals = line.find(" = ");
    if (line.starts_with(';') || equals == std::string_view::npos) continue;  // a comment, or overridden by another file
    const auto key = trim(line.substr(0, equals));
    const auto value = nlohmann::json::parse(trim(line.substr(equals + 3)), nullptr, false);
    if (!value.is_string()) continue;
    // Packages with a scope are asked for as /@scope%2fname.
    const bool of_scope = key.starts_with('@') && key.ends_with(":registry");
    if (key == "registry" || of_scope)
      found.origins.push_back(Origin{.role = of_scope ? "registry of " + std::string(key.substr(0, key.rfind(':'))) : "registry",
                                     .url = value.get<std::string>(),
                                     .encoded_slash = true});
    if (key == "userconfig" || key == "globalconfig") found.files.push_back(value.get<std::string>());
  }
  if (found.origins.empty()) return fail("tool_failed", "npm's configuration names no registry");
  return found;
}

Result<Findings> ask_npm(const Surroundings& host) {
  const auto npm = host.find("npm");
  if (!npm) return std::unexpected(npm.error());
  // Not --json, which leaves out a registry whose URL has a password. --global: no project is looked for, not even in the
  // neutral folder. No log file is left behind.
  ToolCall call{.program = *npm, .arguments = {"config", "list", "--long", "--global"}, .environment = host.environment()};
  call.environment["npm_config_logs_max"] = "0";
  call.environment["npm_config_update_notifier"] = "false";
  const auto said = ask_tool(call);
  if (!said) return std::unexpected(said.error());
  auto found = read_npm(*said);
  if (!found) return std::unexpected(found.error());
  for (const auto& file : found->files)
    if (auto good = check_configuration(host, "npm", file); !good) return std::unexpected(good.error());
  return Findings{.asked = {command_line(call)}, .origins = std::move(found->origins), .notes = {}};
}

}  // namespace weir::launch
