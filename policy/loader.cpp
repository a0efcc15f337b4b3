#include "policy/loader.h"

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "policy/loading/sections.h"

namespace weir::policy {

namespace {

constexpr std::size_t kMaxFile = 4U << 20;

void read_version(Diagnostics& diagnostics, const YamlNode& node) {
  const auto word = read_text(diagnostics, node, "version");
  if (!word || (word->text == "1" && !node.quoted)) return;
  diagnostics.error(word->place, fmt::format("version `{}` is not one that this weir can read", printable(word->text, 40)),
                    "write `version: 1`");
}

void read_policy(Diagnostics& diagnostics, const YamlNode& root, Document& document, const HostPreset& host_preset) {
  std::vector<Word> uses;
  const SectionKey keys[] = {
      {"version", [&](const auto&, const auto& value) { read_version(diagnostics, value); }, true},
      {"default",
       [&](const auto&, const auto& value) {
         document.default_action = read_action(diagnostics, value, "default", false).value_or(Action::deny);
       }},
      {"use", [&](const auto&,
                  const auto& value) { uses = read_list(diagnostics, value, "use", "for instance: use: [anthropic]"); }},
      {"credentials",
       [&](const auto&, const auto& value) { read_credentials(diagnostics, value, document.file, document.credentials); }},
      {"rules", [&](const auto&, const auto& value) { read_rules(diagnostics, value, document.rules); }},
      {"upstream",
       [&](const auto&, const auto& value) { read_upstream(diagnostics, value, document.file, document.upstream); }},
      {"limits", [&](const auto&, const auto& value) { read_limits(diagnostics, value, document.limits); }},
  };
  read_section(diagnostics, root, "a policy", keys, {}, "begin with `version: 1`");

  const bool is_preset = document.file.starts_with("preset:");
  if (is_preset && !uses.empty()) diagnostics.error(uses.front().place, "a preset cannot use another");
  for (const auto& use : uses) {
    if (is_preset) break;
    merge_preset(diagnostics, use.text, use.place, document, host_preset);
    document.use.push_back(use.text);
  }
  // With errors before, a credential may be half read and a conflict only apparent.
  if (!diagnostics.has_errors()) report_conflicts(diagnostics, document, uses);
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
