#include <fmt/format.h>

#include <algorithm>

#include "policy/loading/sections.h"
#include "policy/loading/values.h"

namespace weir::policy {

namespace {

void read_resolve(Diagnostics& diagnostics, const YamlNode& node, std::vector<FixedAddress>& resolve) {
  if (node.kind != YamlNode::Kind::map) {
    diagnostics.error(node.place, "`resolve` must be a map from host names to addresses",
                      "for instance: resolve: {api.test.example: \"127.0.0.1:8443\"}");
    return;
  }
  for (const auto& [host, target] : node.entries) {
    const auto word = read_text(diagnostics, *target, "resolve");
    if (!word) continue;
    auto fixed = read_fixed_address(host->text, word->text);
    if (!fixed) {
      diagnostics.error(word->place, fixed.error());
    } else if (std::ranges::find(resolve, fixed->host, &FixedAddress::host) != resolve.end()) {
      diagnostics.error(host->place, fmt::format("host `{}` is given twice", fixed->host), "remove one");
    } else {
      resolve.push_back(std::move(*fixed));
    }
  }
}

}  // namespace

void read_upstream(Diagnostics& diagnostics, const YamlNode& node, const std::string& file, Upstream& upstream) {
  const SectionKey keys[] = {
      {"ca_file",
       [&](const auto&, const auto& value) {
         if (const auto word = read_text(diagnostics, value, "ca_file")) upstream.ca_file = resolve_path(word->text, file);
       }},
      {"proxy",
       [&](const auto&, const auto& value) {
         const auto word = read_text(diagnostics, value, "proxy");
         if (!word) return;
         if (auto proxy = read_proxy(word->text))
           upstream.proxy = std::move(*proxy);
         else
           diagnostics.error(word->place, proxy.error());
       }},
      {"resolve", [&](const auto&, const auto& value) { read_resolve(diagnostics, value, upstream.resolve); }},
  };
  read_section(diagnostics, node, "`upstream`", keys);
}

}  // namespace weir::policy
