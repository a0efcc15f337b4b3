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

struct UpstreamReader {
  Diagnostics& diagnostics;
  const std::string& file;
  Upstream& upstream;
};

constexpr Key<UpstreamReader> kUpstreamKeys[] = {
    {"ca_file", "Certificates (PEM) in addition to the system's roots; relative to the policy file", shape::text,
     [](UpstreamReader& reader, const YamlNode&, const YamlNode& value) {
       if (const auto word = read_text(reader.diagnostics, value, "ca_file"))
         reader.upstream.ca_file = resolve_path(word->text, reader.file);
     }},
    {"proxy", "The proxy through which everything goes: http://host:port", shape::proxy,
     [](UpstreamReader& reader, const YamlNode&, const YamlNode& value) {
       const auto word = read_text(reader.diagnostics, value, "proxy");
       if (!word) return;
       if (auto proxy = read_proxy(word->text))
         reader.upstream.proxy = std::move(*proxy);
       else
         reader.diagnostics.error(word->place, proxy.error());
     }},
    {"resolve", "Fixed addresses of hosts: {api.test.example: \"127.0.0.1:8443\"}", shape::resolve,
     [](UpstreamReader& reader, const YamlNode&, const YamlNode& value) {
       read_resolve(reader.diagnostics, value, reader.upstream.resolve);
     }},
};

}  // namespace

void read_upstream(Diagnostics& diagnostics, const YamlNode& node, const std::string& file, Upstream& upstream) {
  UpstreamReader reader{diagnostics, file, upstream};
  read_section(diagnostics, node, "`upstream`", kUpstreamKeys, reader);
}

Schema upstream_schema() { return section_schema(kUpstreamKeys); }

}  // namespace weir::policy
