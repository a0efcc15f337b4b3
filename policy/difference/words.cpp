#include "policy/difference/words.h"

#include <algorithm>

namespace weir::policy {

namespace {

using Set = std::vector<bool>;

std::size_t count(const Set& set) { return static_cast<std::size_t>(std::ranges::count(set, true)); }

bool within(const Set& inner, const Set& outer) {
  for (std::size_t i = 0; i < inner.size(); ++i)
    if (inner[i] && !outer[i]) return false;
  return true;
}

void remove(Set& from, const Set& what) {
  for (std::size_t i = 0; i < from.size(); ++i)
    if (what[i]) from[i] = false;
}

// Several values may share a label: "given with different values".
void add_once(std::vector<std::string>& words, const std::string& word) {
  if (std::ranges::find(words, word) == words.end()) words.push_back(word);
}

// Labels that lie within `set`, the widest first, as long as they add something; `set` is left with what they do not cover.
std::vector<std::string> cover(const Dimension& dimension, Set& set) {
  const Set whole = set;
  std::vector<const Dimension::Label*> labels;
  for (const auto& label : dimension.labels)
    if (count(label.covers) > 0 && within(label.covers, whole)) labels.push_back(&label);
  std::ranges::stable_sort(labels, std::ranges::greater{}, [](const auto* label) { return count(label->covers); });
  std::vector<std::string> words;
  for (const auto* label : labels) {
    auto added = label->covers;
    for (std::size_t i = 0; i < added.size(); ++i) added[i] = added[i] && set[i];
    if (count(added) == 0) continue;
    words.push_back(label->text);
    remove(set, label->covers);
  }
  return words;
}

// What is left of one label when others are taken out.
std::optional<Wording> one_label_but(const Dimension& dimension, const Set& wanted) {
  const Dimension::Label* narrowest = nullptr;
  for (const auto& label : dimension.labels)
    if (within(wanted, label.covers) && (narrowest == nullptr || count(label.covers) < count(narrowest->covers)))
      narrowest = &label;
  if (narrowest == nullptr) return std::nullopt;
  Set out = narrowest->covers;
  remove(out, wanted);
  // Labels may reach beyond the narrowest one, but not into what is wanted.
  std::vector<std::string> but;
  for (const auto& label : dimension.labels) {
    Set both = label.covers, touched = label.covers;
    for (std::size_t i = 0; i < both.size(); ++i) {
      both[i] = both[i] && out[i];
      touched[i] = touched[i] && wanted[i];
    }
    if (count(both) == 0 || count(touched) > 0) continue;
    but.push_back(label.text);
    remove(out, label.covers);
  }
  if (count(out) > 0) return std::nullopt;
  return Wording{.words = {narrowest->text}, .but = std::move(but), .like = {}, .but_like = {}};
}

}  // namespace

Wording words_for(const Dimension& dimension, std::span<const std::uint32_t> values) {
  if (values.size() == dimension.values.size()) return {};
  Set wanted(dimension.values.size(), false);
  for (const auto value : values) wanted[value] = true;

  Set left = wanted;
  auto words = cover(dimension, left);
  if (count(left) == 0) return {.words = std::move(words), .but = {}, .like = {}, .but_like = {}};
  const bool paths = dimension.kind == Dimension::Kind::path;
  std::vector<std::string> but_like;

  // Any but a few, when that is shorter.
  Set rest(wanted.size());
  for (std::size_t i = 0; i < rest.size(); ++i) rest[i] = !wanted[i];
  Set rest_left = rest;
  auto but = cover(dimension, rest_left);
  // Doubtful values are denied for every rule: that they are left out goes without saying where the rest is said.
  if (count(rest_left) > 0 && count(wanted) > count(rest))
    for (std::size_t i = 0; i < rest.size(); ++i)
      if (rest_left[i]) add_once(paths ? but_like : but, dimension.values[i].label), rest_left[i] = false;
  if (count(rest_left) == 0 && but.size() + but_like.size() <= 1 + words.size() + count(left) &&
      (dimension.kind == Dimension::Kind::method ? wanted.back() : !dimension.labels.empty()))
    return {.words = {}, .but = std::move(but), .like = {}, .but_like = std::move(but_like)};

  if (words.empty())
    if (auto one = one_label_but(dimension, wanted)) return std::move(*one);
  std::vector<std::string> like;
  for (std::size_t i = 0; i < left.size(); ++i)
    if (left[i]) add_once(paths ? like : words, dimension.values[i].label);
  return {.words = std::move(words), .but = {}, .like = std::move(like), .but_like = {}};
}

}  // namespace weir::policy
