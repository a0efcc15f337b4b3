// `weir policy show` and `weir policy presets`: what `use` brings in.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>

#include "base/file.h"
#include "cli/policy/shared.h"
#include "cli/policy/verbs.h"
#include "cli/verbs.h"
#include "launch/package_sources.h"

namespace weir::cli {

namespace {

// The first sentence of the comment at a preset's head.
std::string summary_of(std::string_view text) {
  if (!text.starts_with("# ")) return {};
  return std::string(text.substr(2, text.find('\n') - 2));
}

int list_presets(bool as_json) {
  Json list = Json::array();
  for (const auto& preset : policy::presets()) list.push_back({{"name", preset.name}, {"summary", summary_of(preset.text)}});
  for (const auto name : policy::host_presets())
    list.push_back({{"name", name}, {"summary", fmt::format("Where {} gets its packages on this host, asked when the policy is loaded.", name)}});
  if (as_json)
    print(list);
  else
    for (const auto& preset : list)
      print(fmt::format("{:<14} {}\n", preset["name"].get_ref<const std::string&>(), preset["summary"].get_ref<const std::string&>()));
  return 0;
}

// The text of a preset, of those that the host tells as well. Nothing: there is none of that name.
std::optional<Result<std::string>> preset_text(std::string_view name) {
  const auto presets = policy::presets();
  const auto preset = std::ranges::find(presets, name, &EmbeddedFile::name);
  if (preset != presets.end()) return std::string(preset->text);
  if (std::ranges::find(policy::host_presets(), name) == policy::host_presets().end()) return std::nullopt;
  return launch::package_preset(name);
}

int show(const std::string& what, bool as_json) {
  if (const auto preset = preset_text(what)) {
    if (!*preset) return complain("preset `" + what + "`: " + preset->error().message);
    if (as_json)
      print(Json{{"preset", what}, {"text", **preset}, {"use", Json::array()}});
    else
      print(**preset);
    return 0;
  }
  const auto text = read_file(what);
  if (!text) return complain(text.error().message + " (and there is no preset of that name; see `weir policy presets`)");
  std::map<std::string, std::string, std::less<>> told;  // by the host; asked once
  const auto loaded = policy::load_text(*text, what, [&](std::string_view name) {
    auto preset = launch::package_preset(name);
    if (preset) told.emplace(name, *preset);
    return preset;
  });
  if (!loaded.ok()) {
    print_diagnostics(loaded.diagnostics);
    return complain(what + " has errors");
  }
  Json uses = Json::array();
  std::string out = *text;
  for (const auto& name : loaded.document.use) {
    const auto from_host = told.find(name);
    const std::string used = from_host != told.end() ? from_host->second : preset_text(name)->value();
    uses.push_back({{"preset", name}, {"text", used}});
    out += fmt::format("\n# --- what `use: [{}]` brings in ---\n{}", name, used);
  }
  if (as_json)
    print(Json{{"file", what}, {"text", *text}, {"use", uses}});
  else
    print(out);
  return 0;
}

}  // namespace

void add_policy_show(CLI::App& policy, int& status) {
  struct Options {
    std::string what;
    bool json = false;
  };
  const auto options = std::make_shared<Options>();  // shared with the callbacks, which outlive this function
  auto* presets = policy.add_subcommand("presets", "The presets that come with weir");
  add_json_flag(presets, options->json);
  presets->callback([options, &status] { status = list_presets(options->json); });

  auto* show_verb = policy.add_subcommand("show", "A preset, or a policy file with the presets that it uses");
  show_verb->add_option("FILE|PRESET", options->what, "a preset's name or a policy file")->required();
  add_json_flag(show_verb, options->json);
  show_verb->callback([options, &status] { status = show(options->what, options->json); });
}

}  // namespace weir::cli
