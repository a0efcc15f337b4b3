#include "policy/learning/path_patterns.h"

#include <algorithm>
#include <bit>
#include <map>
#include <memory>
#include <set>

#include "base/text.h"
#include "policy/matching/coverage.h"

namespace weir::policy {

namespace {

constexpr std::size_t kAlike = 3;       // siblings that lead equally deep, from which on they vary
constexpr std::size_t kManyPaths = 12;  // seen below a folder, from which on `/**` may stand for them
constexpr std::size_t kManyGlobs = 6;   // that would be needed instead
constexpr std::size_t kDepths = 3;      // different ones

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_number(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_digit); }

// "dddd-dd" and on: the shape of what `text` begins with.
bool has_shape(std::string_view text, std::string_view shape) {
  if (text.size() < shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (shape[i] == 'd' ? !is_digit(text[i]) : shape[i] == 'x' ? !is_hex(text[i]) : text[i] != shape[i]) return false;
  return true;
}

struct Node {
  std::map<std::string, std::unique_ptr<Node>> children;  // "" is the end of "/a/"
  std::uint32_t uses = 0;                                 // of paths that end here
  std::uint32_t uses_below = 0;                           // not none: `/**` from here
  std::size_t seen = 0;                                   // paths that end here, before anything was made one
};

Node& child(Node& node, const std::string& name) {
  auto& place = node.children[name];
  if (place == nullptr) place = std::make_unique<Node>();
  return *place;
}

void absorb(Node& into, std::unique_ptr<Node> from) {
  into.uses |= from->uses;
  into.seen += from->seen;
  for (auto& [name, below] : from->children) absorb(child(into, name), std::move(below));
}

// A segment as a glob has it. `?` and `#` cannot stand in one.
std::string glob_of(std::string_view segment) {
  std::string glob;
  for (const char c : segment) {
    const char put = c == '?' || c == '#' ? '*' : c;
    if (put != '*' || !glob.ends_with('*')) glob += put;
  }
  return glob;
}

// How deep paths go on below, and for which use: pairs of a depth and one bit of `uses`.
using Reach = std::set<std::pair<std::size_t, std::uint32_t>>;

void add_reach(const Node& node, std::size_t depth, Reach& reach) {
  for (auto left = node.uses; left != 0; left &= left - 1) reach.emplace(depth, left & (~left + 1));
  for (const auto& [name, below] : node.children) add_reach(*below, depth + 1, reach);
}

// The names of children that stand for one of many.
std::vector<std::string> varying_children(const Node& node) {
  std::vector<std::string> names;
  std::size_t numbers = 0;
  for (const auto& [name, below] : node.children) {
    if (!name.empty()) names.push_back(name);
    numbers += is_number(name) ? 1 : 0;
  }
  // Siblings that reach the same depth for the same use are alike, and so is what is like either of two that are alike.
  std::vector<std::size_t> leader(names.size());
  const auto lead = [&](std::size_t i) {
    while (leader[i] != i) i = leader[i] = leader[leader[i]];
    return i;
  };
  std::map<Reach::value_type, std::size_t> first_with;
  for (std::size_t i = 0; i < names.size(); ++i) {
    leader[i] = i;
    Reach reach;
    add_reach(*node.children.at(names[i]), 0, reach);
    for (const auto& point : reach)
      if (const auto [found, is_new] = first_with.emplace(point, i); !is_new) leader[lead(i)] = lead(found->second);
  }
  std::map<std::size_t, std::size_t> size_of;
  for (std::size_t i = 0; i < names.size(); ++i) ++size_of[lead(i)];
  std::vector<std::string> varying;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (size_of[lead(i)] >= kAlike || looks_like_a_value(names[i]) || (numbers >= 2 && is_number(names[i])))
      varying.push_back(names[i]);
  return varying;
}

void vary(Node& node) {
  const auto varying = varying_children(node);
  for (const auto& name : varying) {
    if (name == "*") continue;
    auto taken = std::move(node.children.at(name));
    node.children.erase(name);
    absorb(child(node, "*"), std::move(taken));
  }
  for (auto& [name, below] : node.children) vary(*below);
}

struct Below {
  std::size_t paths = 0, globs = 0;
  std::set<std::size_t> depths;
  std::set<std::uint32_t> uses;
};

void add_below(const Node& node, std::size_t depth, Below& below) {
  if (depth > 0 && node.uses != 0) {
    below.paths += node.seen;
    ++below.globs;
    below.depths.insert(depth);
    below.uses.insert(node.uses);
  }
  for (const auto& [name, next] : node.children) add_below(*next, depth + 1, below);
}

// The deepest folders first; never the root, which would be the whole host.
void open_large_trees(Node& node, bool is_root) {
  for (auto& [name, next] : node.children) open_large_trees(*next, false);
  if (is_root) return;
  Below below;
  add_below(node, 0, below);
  if (below.paths < kManyPaths || below.globs <= kManyGlobs || below.depths.size() < kDepths || below.uses.size() != 1) return;
  node.uses_below = *below.uses.begin();
  node.children.clear();
}

void collect(const Node& node, const std::string& path, std::vector<PathPattern>& patterns) {
  if (node.uses != 0) patterns.push_back({path, node.uses});
  if (node.uses_below != 0) patterns.push_back({path + "/**", node.uses_below});
  for (const auto& [name, below] : node.children) collect(*below, path + "/" + name, patterns);
}

bool covers(const PathPattern& wide, const PathPattern& narrow) {
  return &wide != &narrow && (narrow.uses & ~wide.uses) == 0 && wide.glob != narrow.glob &&
         wide.glob.find('*') != std::string::npos && path_covers(wide.glob, narrow.glob);
}

}  // namespace

bool looks_like_a_value(std::string_view segment) {
  if (is_number(segment)) return segment.size() >= 3;
  if (has_shape(segment, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx") && segment.size() == 36) return true;
  if (has_shape(segment, "dddd-dd-dd") && (segment.size() == 10 || segment[10] == 'T' || segment[10] == '_')) return true;
  if (has_shape(segment, "dddd-dd") && segment.size() == 7) return true;
  for (const std::string_view algorithm : {"sha256:", "sha384:", "sha512:"})
    if (segment.starts_with(algorithm)) return true;
  const auto digits = static_cast<std::size_t>(std::ranges::count_if(segment, is_digit));
  if (segment.size() >= 7 && digits > 0 && std::ranges::all_of(segment, is_hex)) return true;
  // Longer ids are letters and digits without sense; a name with a dot is more likely a file's, with its version.
  const auto between = [&](char first, char last) { return std::ranges::any_of(segment, [=](char c) { return c >= first && c <= last; }); };
  const bool mixed = digits > 0 && between('a', 'z') && between('A', 'Z');
  return segment.size() >= 16 && (digits >= 4 || mixed) && segment.find('.') == std::string_view::npos;
}

std::vector<PathPattern> generalise(std::span<const SeenPath> seen) {
  Node root;
  for (const auto& [path, uses] : seen) {
    Node* node = &root;
    for (const auto segment : split(std::string_view(path).substr(1), '/')) node = &child(*node, glob_of(segment));
    node->uses |= uses;
    ++node->seen;
  }
  vary(root);
  open_large_trees(root, true);
  std::vector<PathPattern> patterns;
  collect(root, "", patterns);
  std::vector<PathPattern> kept;
  for (const auto& pattern : patterns)
    if (std::ranges::none_of(patterns, [&](const auto& other) { return covers(other, pattern); })) kept.push_back(pattern);
  std::ranges::sort(kept, {}, &PathPattern::glob);
  return kept;
}

}  // namespace weir::policy
