#include "policy/loader.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/text.h"
#include "policy/loading/sections.h"

namespace weir::policy {

namespace {

constexpr std::size_t kMaxFile = 64U << 20;

void read_version(Diagnostics& diagnostics, const YamlNode& node) {
  const auto word = read_text(diagnostics, node, "version");
  if (!word || (word->text == "1" && !node.quoted)) return;
  diagnostics.error(word->place, fmt::format("version `{}` is not one that this weir can read", printable(word->text, 40)),
                    "write `version: 1`");
}

Schema credentials_shape() {
  return {{"type", "object"},
          {"propertyNames", {{"pattern", "^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$"}}},
          {"additionalProperties", credential_schema()}};
}
Schema rules_shape() { return {{"type", "array"}, {"items", rule_schema()}}; }

struct PolicyReader {
  Diagnostics& diagnostics;
  Document& document;
  Places places{};
};

constexpr Key<PolicyReader> kPolicyKeys[] = {
    {"version", "Of the policy language", shape::version,
     [](PolicyReader& reader, const YamlNode&, const YamlNode& value) { read_version(reader.diagnostics, value); }, true},
    {"default", "What happens to what no rule matches; log lets it through and records it, for learning",
     shape::default_action,
     [](PolicyReader& reader, const YamlNode&, const YamlNode& value) {
       reader.document.default_action = read_action(reader.diagnostics, value, "default", false).value_or(Action::deny);
     }},
    {"use", "Presets: `weir policy presets` lists them", shape::words,
     [](PolicyReader& reader, const YamlNode&, const YamlNode& value) {
       reader.places.uses = read_list(reader.diagnostics, value, "use", "for instance: use: [anthropic]");
     }},
    {"credentials", "Secrets that requests get on their way, by name", credentials_shape,
     [](PolicyReader& reader, const YamlNode&, const YamlNode& value) {
       read_credentials(reader.diagnostics, value, reader.document.file, reader.document.credentials);
     }},
    {"oauth", "Logins inside the sandbox: token endpoints whose answers are kept in weir's vault, with placeholders for the sandbox", oauth_schema,
     [](PolicyReader& reader, const YamlNode&, const YamlNode& value) {
       read_oauth(reader.diagnostics, value, reader.document.oauth, reader.places.kept);
     }},
    {"leaks", "What becomes of a request with text that has the form of a well-known service's token; log when left out", leaks_schema,
     [](PolicyReader& reader, const YamlNode&, const YamlNode& value) {
       reader.document.leaks = read_leaks(reader.diagnostics, value);
     }},
    {"rules", "What may pass; the strictest of the rules that match decides", rules_shape,
     [](PolicyReader& reader, const YamlNode&, const YamlNode& value) {
       read_rules(reader.diagnostics, value, reader.document.rules);
     }},
    {"upstream", "How the world is reached", upstream_schema,
     [](PolicyReader& reader, const YamlNode&, const YamlNode& value) {
       read_upstream(reader.diagnostics, value, reader.document.file, reader.document.upstream);
     }},
    {"vault", "The HashiCorp Vault or OpenBao that `from: vault:` reads; what is not said is taken from VAULT_ADDR and its like", vault_schema,
     [](PolicyReader& reader, const YamlNode&, const YamlNode& value) {
       read_vault(reader.diagnostics, value, reader.document.file, reader.document.vault);
     }},
    {"limits", "Of the whole sandbox", limits_schema,
     [](PolicyReader& reader, const YamlNode&, const YamlNode& value) {
       read_limits(reader.diagnostics, value, reader.document.limits);
     }},
};

void read_policy(Diagnostics& diagnostics, const YamlNode& root, Document& document, const HostPreset& host_preset) {
  PolicyReader reader{diagnostics, document};
  read_section(diagnostics, root, "a policy", kPolicyKeys, reader, {}, "begin with `version: 1`");
  const auto& uses = reader.places.uses;

  const bool is_preset = document.file.starts_with("preset:");
  if (is_preset && !uses.empty()) diagnostics.error(uses.front().place, "a preset cannot use another");
  for (const auto& use : uses) {
    if (is_preset) break;
    merge_preset(diagnostics, use.text, use.place, document, host_preset);
    document.use.push_back(use.text);
  }
  // With errors before, a credential may be half read and a conflict only apparent.
  if (!diagnostics.has_errors()) report_conflicts(diagnostics, document, reader.places);
}

}  // namespace

Loaded load_text(std::string_view text, const std::string& file, const HostPreset& host_preset) {
  Loaded loaded;
  loaded.document.file = file;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // a byte order mark, which some editors write
  if (text.size() > kMaxFile) {
    Diagnostics diagnostics(file, {});
    diagnostics.error(diagnostics.whole_file(), fmt::format("the file is larger than {} MiB", kMaxFile >> 20));
    loaded.diagnostics = diagnostics.take();
    return loaded;
  }
  Diagnostics diagnostics(file, text);
  const auto tree = parse_yaml(text, diagnostics);
  if (tree->root != nullptr && tree->root->kind != YamlNode::Kind::null)
    read_policy(diagnostics, *tree->root, loaded.document, host_preset);
  else if (!diagnostics.has_errors())
    diagnostics.error(diagnostics.start(), "the file is empty", "begin with `version: 1`");
  loaded.diagnostics = diagnostics.take();
  return loaded;
}

Schema policy_schema() { return section_schema(kPolicyKeys); }

Loaded load_file(const std::string& file, const HostPreset& host_preset) {
  const auto text = read_file(file, kMaxFile + 1);
  if (text) return load_text(*text, file, host_preset);
  Loaded loaded;
  loaded.document.file = file;
  Diagnostics diagnostics(file, {});
  diagnostics.error(diagnostics.whole_file(), text.error().message);
  loaded.diagnostics = diagnostics.take();
  return loaded;
}

}  // namespace weir::policy
