// What `use` brings in.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "policy/document/check_credential.h"
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

template <class T>
bool same_but_for_place(T a, const T& b) {
  a.place = b.place;
  return a == b;
}

// The file's own replaces the preset's; two presets may share one.
template <class T>
bool is_settled(const T& there, const T& brought, const Place& place) {
  return there.place.file == place.file || same_but_for_place(there, brought);
}

void merge_credential(Diagnostics& diagnostics, Credential&& credential, const Place& place, Document& document) {
  const auto own = std::ranges::find(document.credentials, credential.name, &Credential::name);
  if (own == document.credentials.end())
    document.credentials.push_back(std::move(credential));
  else if (!is_settled(*own, credential, place))
    diagnostics.error(place,
                      fmt::format("presets disagree about credential `{}` ({} and {})", credential.name, own->place.file,
                                  credential.place.file),
                      "define it under `credentials` in this file: that replaces both");
}

void merge_capture(Diagnostics& diagnostics, OAuthCapture&& capture, const Place& place, Document& document) {
  const auto url = token_url(capture);
  const auto own = std::ranges::find(document.oauth, url, token_url);
  if (own == document.oauth.end())
    document.oauth.push_back(std::move(capture));
  else if (!is_settled(*own, capture, place))
    diagnostics.error(place, fmt::format("presets disagree about `{}` under `oauth` ({} and {})", url, own->place.file, capture.place.file),
                      "define it under `oauth` in this file: that replaces both");
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
  for (auto& credential : loaded.document.credentials) merge_credential(diagnostics, std::move(credential), place, document);
  for (auto& capture : loaded.document.oauth) merge_capture(diagnostics, std::move(capture), place, document);
}

}  // namespace weir::policy
