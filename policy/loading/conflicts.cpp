// Whether what a file and its presets say goes together.
#include <fmt/format.h>

#include <algorithm>

#include "policy/loading/sections.h"

namespace weir::policy {

namespace {

// Pointed at where the author can change something: their own line, else the one that brings the preset in.
Place place_for(const Place& place, const Diagnostics& diagnostics, const Document& document, std::span<const Word> uses) {
  if (place.file == document.file) return place;
  const auto use = std::ranges::find_if(uses, [&](const Word& word) { return place.file == "preset:" + word.text; });
  return use == uses.end() ? diagnostics.whole_file() : Place(use->place);
}

std::string where(const Place& place, const Document& document) {
  return place.file == document.file ? fmt::format("line {}", place.line)
                                     : fmt::format("{}, line {}", place.file, place.line);
}

void report_credentials(Diagnostics& diagnostics, const Document& document, std::span<const Word> uses) {
  const auto conflict = find_conflict(document);
  if (!conflict) return;
  const Credential& first = document.credentials[conflict->first];
  const Credential& second = document.credentials[conflict->second];
  const bool from_preset = first.place.file != second.place.file;
  const auto& preset_one = first.place.file == document.file ? second : first;
  diagnostics.error(
      place_for((second.place.file == document.file ? second : first).place, diagnostics, document, uses),
      fmt::format("credentials `{}` and `{}` would set the same header `{}` at the same host", first.name, second.name,
                  second.inject.name),
      from_preset ? fmt::format("to replace the one of {}, give yours the name `{}`", preset_one.place.file, preset_one.name)
                  : "let each have hosts of its own");
}

void report_tunnels(Diagnostics& diagnostics, const Document& document, std::span<const Word> uses) {
  constexpr std::size_t kMost = 20;
  for (const auto& conflict : find_tunnel_conflicts(document, kMost)) {
    const Rule& tunnel = document.rules[conflict.tunnel];
    const Place& other =
        conflict.with_credential ? document.credentials[conflict.other].place : document.rules[conflict.other].place;
    const std::string& name =
        conflict.with_credential ? document.credentials[conflict.other].name : document.rules[conflict.other].name;
    const bool at_tunnel = tunnel.place.file == document.file || other.file != document.file;
    diagnostics.error(
        place_for(at_tunnel ? tunnel.place : other, diagnostics, document, uses),
        fmt::format("rule `{}` ({}) carries connections unopened to a place of {} `{}` ({}), which has to look into them",
                    tunnel.name, where(tunnel.place, document), conflict.with_credential ? "credential" : "rule", name,
                    where(other, document)),
        "let the two have hosts or ports of their own");
  }
}

}  // namespace

void report_conflicts(Diagnostics& diagnostics, const Document& document, std::span<const Word> uses) {
  report_credentials(diagnostics, document, uses);
  report_tunnels(diagnostics, document, uses);
}

}  // namespace weir::policy
