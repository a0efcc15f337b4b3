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
#include "policy/loading/shapes.h"
#include "policy/loading/yaml_tree.h"

namespace weir::policy {

// One line of a section's table, from which both the reader and the JSON Schema are made: they cannot part. `T` is what
// reads the section and keeps what it has read.
template <class T>
struct Key {
  std::string_view name;
  std::string_view about;                                               // in one line, for who writes the file
  Shape shape;                                                          // what the schema says of the value
  void (*read)(T& reader, const YamlNode& key, const YamlNode& value);  // not called when there is no value
  bool required = false;
};

struct KeyName {
  std::string_view name;
  bool required = false;
};

// `what` names the map in messages ("a rule"). `not_yet` are keys that the policy language has and this version does
// not enforce. `example` is the hint when the value is not a map at all.
void read_map(Diagnostics& diagnostics, const YamlNode& node, std::string_view what, std::span<const KeyName> keys,
              const std::function<void(std::size_t index, const YamlNode& key, const YamlNode& value)>& read,
              std::span<const std::string_view> not_yet = {}, std::string_view example = {});

template <class T, std::size_t N>
void read_section(Diagnostics& diagnostics, const YamlNode& node, std::string_view what, const Key<T> (&keys)[N], T& reader,
                  std::span<const std::string_view> not_yet = {}, std::string_view example = {}) {
  KeyName names[N];
  for (std::size_t i = 0; i < N; ++i) names[i] = {keys[i].name, keys[i].required};
  read_map(
      diagnostics, node, what, names,
      [&](std::size_t i, const YamlNode& key, const YamlNode& value) { keys[i].read(reader, key, value); }, not_yet,
      example);
}

template <class T, std::size_t N>
Schema section_schema(const Key<T> (&keys)[N]) {
  std::vector<ShapedKey> shaped;
  for (const auto& key : keys) shaped.push_back({key.name, key.about, key.shape, key.required});
  return map_of(shaped);
}

// The same for files that have no schema.
struct SectionKey {
  std::string_view name;
  std::function<void(const YamlNode& key, const YamlNode& value)> read;
  bool required = false;
};
void read_section(Diagnostics& diagnostics, const YamlNode& node, std::string_view what, std::span<const SectionKey> keys,
                  std::span<const std::string_view> not_yet = {}, std::string_view example = {});

struct Word {
  std::string text;
  Spot place;
};

// Each reports what is wrong and gives nothing then. `what` names the key.
std::optional<Word> read_text(Diagnostics& diagnostics, const YamlNode& node, std::string_view what);
enum class Empty { refused, allowed };  // whether "" may be one of the words
std::vector<Word> read_list(Diagnostics& diagnostics, const YamlNode& node, std::string_view what, std::string_view example,
                            Empty empty = Empty::refused);
std::optional<bool> read_flag(Diagnostics& diagnostics, const YamlNode& node, std::string_view what);

// The hint for a word that is not one of those: the nearest, else all of them.
std::string suggest(std::string_view word, std::span<const std::string_view> known);

}  // namespace weir::policy
