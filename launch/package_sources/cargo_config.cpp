#include "launch/package_sources/cargo_config.h"

#define TOML_EXCEPTIONS 0
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace weir::launch {

namespace {

constexpr int kLongestChain = 16;  // of sources that replace each other

std::string text_at(const toml::table& table, std::string_view section, std::string_view name, std::string_view key) {
  const auto* sections = table.get_as<toml::table>(section);
  const auto* entry = sections == nullptr ? nullptr : sections->get_as<toml::table>(name);
  const auto* value = entry == nullptr ? nullptr : entry->get_as<std::string>(key);
  return value == nullptr ? "" : value->get();
}

void follow_replacements(const toml::table& table, CargoConfiguration& found) {
  std::string name = "crates-io";
  for (int step = 0; step < kLongestChain; ++step) {
    const std::string next = text_at(table, "source", name, "replace-with");
    if (next.empty()) {
      found.index = text_at(table, "source", name, "registry");
      if (found.index.empty() && found.registries.contains(name)) found.index = found.registries.at(name);
      // Defined by what is on this host alone (directory, local-registry), or by nothing but its name.
      found.replaced = name != "crates-io" || !found.index.empty();
      if (found.replaced && found.index.empty())
        found.notes.push_back(fmt::format("the source {} that replaces cargo's own registry: it is not a registry on the network", name));
      return;
    }
    name = next;
  }
  found.replaced = true;
  found.notes.emplace_back("cargo's own registry: the sources that replace it go round in a circle");
}

void read_environment(const std::map<std::string, std::string>& environment, CargoConfiguration& found) {
  constexpr std::string_view kStart = "CARGO_REGISTRIES_", kEnd = "_INDEX";
  for (const auto& [variable, value] : environment) {
    if (!variable.starts_with(kStart) || !variable.ends_with(kEnd) || variable.size() <= kStart.size() + kEnd.size()) continue;
    std::string name = to_lower(std::string_view(variable).substr(kStart.size(), variable.size() - kStart.size() - kEnd.size()));
    // CARGO_REGISTRIES_MY_CORP_INDEX stands for my-corp as well as for my_corp.
    const auto same = std::ranges::find_if(found.registries, [&](const auto& known) {
      std::string plain = to_lower(known.first);
      std::ranges::replace(plain, '-', '_');
      return plain == name;
    });
    if (same != found.registries.end())
      same->second = value;
    else
      found.registries[name] = value;
  }
  if (const auto protocol = environment.find("CARGO_REGISTRIES_CRATES_IO_PROTOCOL"); protocol != environment.end())
    found.protocol = protocol->second;
}

}  // namespace

Result<CargoConfiguration> read_cargo(std::string_view toml, const std::map<std::string, std::string>& environment) {
  const auto parsed = toml::parse(toml);
  if (!parsed)
    return fail("tool_failed", fmt::format("cargo's configuration cannot be read: line {}: {}", parsed.error().source().begin.line,
                                           printable(parsed.error().description(), 200)));
  const toml::table& table = parsed.table();
  CargoConfiguration found;
  if (const auto* registries = table.get_as<toml::table>("registries"))
    for (const auto& [name, unused] : *registries)
      if (auto index = text_at(table, "registries", name.str(), "index"); !index.empty()) found.registries[std::string(name.str())] = index;
  found.protocol = text_at(table, "registries", "crates-io", "protocol");
  read_environment(environment, found);
  found.registries.erase("crates-io");
  found.registries.erase("crates_io");
  follow_replacements(table, found);
  if (found.protocol != "git" && found.protocol != "sparse") found.protocol.clear();
  return found;
}

Origin index_origin(const std::string& role, const std::string& index) {
  constexpr std::string_view kSparse = "sparse+", kRegistry = "registry+";
  if (index.starts_with(kSparse)) return Origin{.role = role, .url = index.substr(kSparse.size())};
  return Origin{.kind = Origin::Kind::git, .role = role, .url = index.starts_with(kRegistry) ? index.substr(kRegistry.size()) : index};
}

Result<std::string> read_download_url(std::string_view config_json) {
  const auto config = nlohmann::json::parse(config_json, nullptr, false);
  const auto dl = config.is_object() ? config.find("dl") : config.end();
  if (!config.is_object() || dl == config.end() || !dl->is_string()) return fail("index", "its config.json does not say where crates are");
  std::string url = dl->get<std::string>();
  if (const auto marker = url.find('{'); marker != std::string::npos) url.erase(url.rfind('/', marker) + 1);
  return url;
}

}  // namespace weir::launch
