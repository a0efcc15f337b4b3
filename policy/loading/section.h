// Reading one map of the file: which keys there may be, which must be, and what is wrong with the others. Nothing is
// accepted and then not enforced: a key is read, or it is an error.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/loading/diagnostics.h"
#include "policy/loading/yaml_tree.h"

namespace weir::policy {

struct SectionKey {
  std::string_view name;
  std::function<void(const YamlNode& key, const YamlNode& value)> read;  // not called when there is no value
  bool required = false;
};

// `what` names the map in messages ("a rule"). `not_yet` are keys that the policy language has and this version does
// not enforce. `example` is the hint when the value is not a map at all.
void read_section(Diagnostics& diagnostics, const YamlNode& node, std::string_view what, std::span<const SectionKey> keys,
                  std::span<const std::string_view> not_yet = {}, std::string_view example = {});

struct Word {
  std::string text;
  Place place;
};

// Each reports what is wrong and gives nothing then. `what` names the key.
std::optional<Word> read_text(Diagnostics& diagnostics, const YamlNode& node, std::string_view what);
std::vector<Word> read_list(Diagnostics& diagnostics, const YamlNode& node, std::string_view what, std::string_view example);
std::optional<bool> read_flag(Diagnostics& diagnostics, const YamlNode& node, std::string_view what);

// The hint for a word that is not one of those: the nearest, else all of them.
std::string suggest(std::string_view word, std::span<const std::string_view> known);

}  // namespace weir::policy
