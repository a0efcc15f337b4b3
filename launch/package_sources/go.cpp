// go: the module proxies and the checksum database of its environment.
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "launch/package_sources/tool.h"
#include "launch/package_sources/tools.h"

namespace weir::launch {

namespace {

// GOPROXY: URLs with `,` or `|` between them, and the words direct and off (go help goproxy).
void read_proxies(std::string_view list, Findings& found) {
  while (!list.empty()) {
    const auto end = std::min(list.find_first_of(",|"), list.size());
    std::string proxy(trim(list.substr(0, end)));
    list.remove_prefix(std::min(end + 1, list.size()));
    if (proxy == "off") return;  // nothing behind it is tried
    if (proxy == "direct") {
      found.notes.emplace_back("the repositories of modules themselves, which go asks for what no proxy has (direct); write rules for those you need");
      return;
    }
    if (proxy.empty()) continue;
    if (proxy.find(":/") == std::string::npos && !proxy.starts_with('/')) proxy = "https://" + proxy;
    found.origins.push_back(Origin{.role = "proxy", .url = proxy});
  }
}

// GOSUMDB: "off", a name, a name with its key ("NAME+HASH+KEY"), or one of these and a URL.
void read_checksum_database(std::string_view text, Findings& found) {
  text = trim(text);
  if (text.empty() || text == "off") return;
  const auto space = text.find(' ');
  const std::string name(text.substr(0, std::min(text.find('+'), space)));
  const std::string url(space == std::string_view::npos ? "" : trim(text.substr(space)));
  found.origins.push_back(Origin{.role = "checksum database", .url = url.empty() ? "https://" + name + "/" : url});
}

}  // namespace

Result<GoConfiguration> read_go(std::string_view json) {
  const auto settings = nlohmann::json::parse(json, nullptr, false);
  if (!settings.is_object()) return fail("tool_failed", "go's environment is not the JSON that was expected");
  const auto value = [&](const char* name) {
    const auto found = settings.find(name);
    return found != settings.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  GoConfiguration go;
  read_proxies(value("GOPROXY"), go.findings);
  read_checksum_database(value("GOSUMDB"), go.findings);
  for (const char* name : {"GOPRIVATE", "GONOPROXY"})
    if (!value(name).empty() && value(name) != "none")
      go.findings.notes.push_back(std::string("the hosts of ") + name + " (" + without_passwords(value(name)) + "); write rules for them");
  if (!value("GOENV").empty() && value("GOENV") != "off") go.files.push_back(value("GOENV"));
  if (!value("GOROOT").empty()) go.files.push_back(value("GOROOT") + "/go.env");
  return go;
}

Result<Findings> ask_go(const Surroundings& host) {
  const auto go = host.find("go");
  if (!go) return std::unexpected(go.error());
  ToolCall call{.program = *go,
                .arguments = {"env", "-json", "GOPROXY", "GOSUMDB", "GOPRIVATE", "GONOPROXY", "GOENV", "GOROOT"},
                .environment = host.environment()};
  call.environment["GOTOOLCHAIN"] = "local";  // never to be fetched for this question
  const auto said = ask_tool(call);
  if (!said) return std::unexpected(said.error());
  auto found = read_go(*said);
  if (!found) return std::unexpected(found.error());
  for (const auto& file : found->files)
    if (auto good = check_configuration(host, "go", file); !good) return std::unexpected(good.error());
  found->findings.asked = {command_line(call)};
  return std::move(found->findings);
}

}  // namespace weir::launch
