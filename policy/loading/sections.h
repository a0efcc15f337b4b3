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
void read_upstream(Diagnostics& diagnostics, const YamlNode& node, const std::string& file, Upstream& upstream);
void read_vault(Diagnostics& diagnostics, const YamlNode& node, const std::string& file, VaultServer& vault);
void read_limits(Diagnostics& diagnostics, const YamlNode& node, Limits& limits);

// The same as JSON Schema.
Schema policy_schema();
Schema rule_schema();
Schema credential_schema();
Schema upstream_schema();
Schema vault_schema();
Schema limits_schema();

std::vector<HostPattern> read_hosts(Diagnostics& diagnostics, const YamlNode& node);
std::optional<Action> read_action(Diagnostics& diagnostics, const YamlNode& node, std::string_view what, bool may_allow);

// Puts a preset's rules and credentials into the document; `place` is where the file names it.
void merge_preset(Diagnostics& diagnostics, std::string_view name, const Place& place, Document& document,
                  const HostPreset& host_preset);

// After everything is merged: what gets in each other's way. `uses` are the presets' names and where they stand.
void report_conflicts(Diagnostics& diagnostics, const Document& document, std::span<const Word> uses);

}  // namespace weir::policy
