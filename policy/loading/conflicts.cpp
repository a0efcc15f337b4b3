// Whether what a file and its presets say goes together.
#include <fmt/format.h>

#include <algorithm>

#include "policy/document/check_credential.h"
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

constexpr std::size_t kMost = 20;

void report_credentials(Diagnostics& diagnostics, const Document& document, std::span<const Word> uses) {
  for (const auto& conflict : find_credential_conflicts(document, kMost)) {
    const Credential& first = document.credentials[conflict.first];
    const Credential& second = document.credentials[conflict.second];
    const bool from_preset = first.place.file != second.place.file;
    const auto& preset_one = first.place.file == document.file ? second : first;
    const auto& own = second.place.file == document.file ? second : first;
    const auto names = fmt::format("credentials `{}` and `{}`", first.name, second.name);
    diagnostics.error(
        place_for(own.place, diagnostics, document, uses),
        conflict.in_request ? fmt::format("{} would set the same {} at the same host", names, conflict.what)
                            : fmt::format("{} have the same {}", names, conflict.what),
        from_preset ? fmt::format("to replace the one of {}, give yours the name `{}`", preset_one.place.file, preset_one.name)
        : conflict.in_request ? "let each have hosts of its own"
                              : "let each have a variable of its own");
  }
}

void report_oauth(Diagnostics& diagnostics, const Document& document, const Places& places) {
  for (const auto& found : find_oauth_problems(document, kMost)) {
    const bool is_own = found.kept && found.entry < places.kept.size() && *found.kept < places.kept[found.entry].size();
    diagnostics.error(is_own ? Place(places.kept[found.entry][*found.kept])
                             : place_for(document.oauth[found.entry].place, diagnostics, document, places.uses),
                      found.problem);
  }
}

void report_tunnels(Diagnostics& diagnostics, const Document& document, std::span<const Word> uses) {
  for (const auto& conflict : find_tunnel_conflicts(document, kMost)) {
    const Rule& tunnel = document.rules[conflict.tunnel];
    const Place& other = place_of(conflict, document);
    const bool at_tunnel = tunnel.place.file == document.file || other.file != document.file;
    diagnostics.error(
        place_for(at_tunnel ? tunnel.place : other, diagnostics, document, uses),
        fmt::format("rule `{}` ({}) carries connections unopened to a place of {} ({}), which has to look into them",
                    tunnel.name, where(tunnel.place, document), describe(conflict, document), where(other, document)),
        "let the two have hosts or ports of their own");
  }
}

}  // namespace

void report_conflicts(Diagnostics& diagnostics, const Document& document, const Places& places) {
  report_credentials(diagnostics, document, places.uses);
  report_oauth(diagnostics, document, places);
  report_tunnels(diagnostics, document, places.uses);
}

}  // namespace weir::policy
