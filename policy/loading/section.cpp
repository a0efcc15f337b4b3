#include "policy/loading/section.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <unordered_set>

#include "base/text.h"

namespace weir::policy {

namespace {

std::string_view kind_name(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null:
      return "nothing";
    case YamlNode::Kind::scalar:
      return "a single value";
    case YamlNode::Kind::sequence:
      return "a list";
    case YamlNode::Kind::map:
      return "a map";
  }
  return "";
}

void report_unknown(Diagnostics& diagnostics, const YamlNode& key, std::string_view what, std::span<const KeyName> keys) {
  std::vector<std::string_view> known;
  for (const auto& one : keys) known.push_back(one.name);
  const auto shown = printable(key.text, 80);
  if (key.text == "<<")
    diagnostics.error(key.place, "merge keys (`<<`) have no meaning here", "write the keys out");
  else
    diagnostics.error(key.place, fmt::format("unknown key `{}` in {}", shown, what), suggest(key.text, known));
}

}  // namespace

std::string suggest(std::string_view word, std::span<const std::string_view> known) {
  if (const auto near = nearest(word, known)) return fmt::format("did you mean `{}`?", *near);
  return known.empty() ? std::string() : fmt::format("one of: {}", fmt::join(known, ", "));
}

void read_map(Diagnostics& diagnostics, const YamlNode& node, std::string_view what, std::span<const KeyName> keys,
              const std::function<void(std::size_t, const YamlNode&, const YamlNode&)>& read,
              std::span<const std::string_view> not_yet, std::string_view example) {
  if (node.kind != YamlNode::Kind::map) {
    diagnostics.error(node.place, fmt::format("{} must be a map of keys and values, and here is {}", what, kind_name(node)),
                      std::string(example));
    return;
  }
  std::uint64_t seen = 0;  // a bit for each of the keys; no section has 64
  for (const auto& [key, value] : node.entries) {
    const auto found = std::ranges::find(keys, std::string_view(key->text), &KeyName::name);
    if (found == keys.end()) {
      // SECURITY: G4, a condition that is not enforced must not look as if it were.
      if (std::ranges::find(not_yet, key->text) != not_yet.end())
        diagnostics.error(key->place, fmt::format("`{}` in {} is known but not enforced by this version", key->text, what),
                          "remove it, or narrow the rule another way");
      else
        report_unknown(diagnostics, *key, what, keys);
      continue;
    }
    const auto index = static_cast<std::size_t>(found - keys.begin());
    const auto bit = std::uint64_t{1} << index;
    if ((seen & bit) != 0) continue;  // reported as given twice
    seen |= bit;
    if (value->kind == YamlNode::Kind::null)
      diagnostics.error(key->place, fmt::format("`{}` has no value", key->text), "give it one, or remove the line");
    else
      read(index, *key, *value);
  }
  for (std::size_t i = 0; i < keys.size(); ++i)
    if (keys[i].required && (seen >> i & 1U) == 0)
      diagnostics.error(node.place, fmt::format("{} needs the key `{}`", what, keys[i].name));
}

void read_section(Diagnostics& diagnostics, const YamlNode& node, std::string_view what, std::span<const SectionKey> keys,
                  std::span<const std::string_view> not_yet, std::string_view example) {
  std::vector<KeyName> names;
  for (const auto& key : keys) names.push_back({key.name, key.required});
  read_map(
      diagnostics, node, what, names,
      [&](std::size_t i, const YamlNode& key, const YamlNode& value) { keys[i].read(key, value); }, not_yet, example);
}

std::optional<Word> read_text(Diagnostics& diagnostics, const YamlNode& node, std::string_view what) {
  if (node.kind != YamlNode::Kind::scalar) {
    diagnostics.error(node.place, fmt::format("`{}` must be a single value, and here is {}", what, kind_name(node)));
    return std::nullopt;
  }
  if (trim(node.text).empty() || node.text.find('\0') != std::string::npos) {
    diagnostics.error(node.place,
                      fmt::format("`{}` is {}", what, trim(node.text).empty() ? "empty" : "not text: it has a NUL"));
    return std::nullopt;
  }
  return Word{node.text, node.place};
}

std::vector<Word> read_list(Diagnostics& diagnostics, const YamlNode& node, std::string_view what, std::string_view example,
                            Empty empty) {
  std::vector<Word> words;
  if (node.kind != YamlNode::Kind::sequence) {
    diagnostics.error(node.place, fmt::format("`{}` must be a list, and here is {}", what, kind_name(node)),
                      std::string(example));
    return words;
  }
  if (node.items.empty()) diagnostics.error(node.place, fmt::format("`{}` is an empty list", what), std::string(example));
  words.reserve(node.items.size());
  constexpr std::size_t kFew = 8;  // of so few a set would cost more than it saves
  const bool few = node.items.size() <= kFew;
  std::unordered_set<std::string_view> seen;
  if (!few) seen.reserve(node.items.size());
  const auto is_new = [&](const YamlNode& item) {
    if (!few) return seen.insert(item.text).second;
    return std::ranges::find(words, item.text, &Word::text) == words.end();
  };
  for (const YamlNode* item : node.items) {
    const bool is_empty = empty == Empty::allowed && item->kind == YamlNode::Kind::scalar && item->text.empty();
    auto word = is_empty ? std::optional(Word{{}, item->place}) : read_text(diagnostics, *item, what);
    if (!word) continue;
    if (is_new(*item))
      words.push_back(std::move(*word));
    else
      diagnostics.error(item->place, fmt::format("`{}` is twice in `{}`", printable(item->text, 100), what), "remove one");
  }
  return words;
}

std::optional<bool> read_flag(Diagnostics& diagnostics, const YamlNode& node, std::string_view what) {
  if (node.kind == YamlNode::Kind::scalar && !node.quoted) {
    if (node.text == "true") return true;
    if (node.text == "false") return false;
  }
  diagnostics.error(node.place, fmt::format("`{}` must be true or false", what));
  return std::nullopt;
}

}  // namespace weir::policy
