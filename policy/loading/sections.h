// The parts of a policy file, each read into its part of the Document.
#pragma once

#include <vector>

#include "policy/loader.h"
#include "policy/loading/diagnostics.h"
#include "policy/loading/section.h"
#include "policy/loading/yaml_tree.h"

namespace weir::policy {

void read_rules(Diagnostics& diagnostics, const YamlNode& node, std::vector<Rule>& rules);
void read_credentials(Diagnostics& diagnostics, const YamlNode& node, const std::string& file,
                      std::vector<Credential>& credentials);
// `kept` gets, for each of the entries, where each of its `keep` stands.
void read_oauth(Diagnostics& diagnostics, const YamlNode& node, std::vector<OAuthCapture>& oauth, std::vector<std::vector<Spot>>& kept);
Leaks read_leaks(Diagnostics& diagnostics, const YamlNode& node);
void read_upstream(Diagnostics& diagnostics, const YamlNode& node, const std::string& file, Upstream& upstream);
void read_vault(Diagnostics& diagnostics, const YamlNode& node, const std::string& file, VaultServer& vault);
void read_limits(Diagnostics& diagnostics, const YamlNode& node, Limits& limits);

// The same as JSON Schema.
Schema policy_schema();
Schema rule_schema();
Schema credential_schema();
Schema oauth_schema();
Schema leaks_schema();
Schema upstream_schema();
Schema vault_schema();
Schema limits_schema();

std::vector<HostPattern> read_hosts(Diagnostics& diagnostics, const YamlNode& node);
std::optional<Action> read_action(Diagnostics& diagnostics, const YamlNode& node, std::string_view what, bool may_allow);

// Puts a preset's rules, credentials and token endpoints into the document; `place` is where the file names it.
void merge_preset(Diagnostics& diagnostics, std::string_view name, const Place& place, Document& document,
                  const HostPreset& host_preset);

// What the document no longer says of where something was written.
struct Places {
  std::vector<Word> uses{};              // the presets' names
  std::vector<std::vector<Spot>> kept{};  // of the file's own entries of `oauth`: each of its `keep`
};

// After everything is merged: what gets in each other's way.
void report_conflicts(Diagnostics& diagnostics, const Document& document, const Places& places);

}  // namespace weir::policy
