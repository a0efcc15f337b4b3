// What `use` brings in.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "policy/loading/sections.h"

namespace weir::policy {

namespace {

constexpr std::array<std::string_view, 5> kHostPresets = {"npm", "pip", "cargo", "go", "apt"};

std::string known_presets(std::string_view name) {
  std::vector<std::string_view> names;
  for (const auto& preset : presets()) names.push_back(preset.name);
  names.insert(names.end(), kHostPresets.begin(), kHostPresets.end());
  return suggest(name, names);
}

bool same_but_for_place(Credential a, const Credential& b) {
  a.place = b.place;
  return a == b;
}

}  // namespace

std::span<const std::string_view> host_presets() { return kHostPresets; }

void merge_preset(Diagnostics& diagnostics, std::string_view name, const Place& place, Document& document,
                  const HostPreset& host_preset) {
  const auto all = presets();
  const auto found = std::ranges::find(all, name, &EmbeddedFile::name);
  std::string text;
  if (found != all.end()) {
    text = found->text;
  } else if (std::ranges::find(kHostPresets, name) == kHostPresets.end()) {
    diagnostics.error(place, fmt::format("unknown preset `{}`", printable(name, 80)), known_presets(name));
    return;
  } else if (!host_preset) {
    diagnostics.error(place, fmt::format("preset `{}` depends on the host, which cannot be asked here", name));
    return;
  } else {
    auto made = host_preset(name);
    if (!made) {
      diagnostics.error(place, fmt::format("preset `{}`: {}", name, made.error().message));
      return;
    }
    text = std::move(*made);
  }
  auto loaded = load_text(text, fmt::format("preset:{}", name));
  if (!loaded.ok()) {
    diagnostics.error(place, fmt::format("preset `{}` has an error: {}", name, format(loaded.diagnostics.front())));
    return;
  }
  for (auto& rule : loaded.document.rules) document.rules.push_back(std::move(rule));
  for (auto& credential : loaded.document.credentials) {
    const auto own = std::ranges::find(document.credentials, credential.name, &Credential::name);
    if (own == document.credentials.end())
      document.credentials.push_back(std::move(credential));
    else if (own->place.file == place.file || same_but_for_place(*own, credential))
      continue;  // the file's own replaces the preset's; two presets may share one
    else
      diagnostics.error(place,
                        fmt::format("presets disagree about credential `{}` ({} and {})", credential.name, own->place.file,
                                    credential.place.file),
                        "define it under `credentials` in this file: that replaces both");
  }
}

}  // namespace weir::policy
