// Many rules of one host by where their paths begin, so that a decision looks at those alone that could match.
// Built once, then only read.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace weir::policy {

template <class Entry>
class PathTrie {
 public:
  // `paths` are a rule's patterns; none: any path.
  void add(const Entry& entry, std::span<const std::string> paths) {
    if (paths.empty()) root_.entries.push_back(entry);
    for (const auto& pattern : paths) {
      Node* node = &root_;
      std::string_view rest = pattern;
      while (!rest.empty()) {  // as far as whole segments are literal
        const auto end = std::min(rest.find('/', 1), rest.size());
        const auto segment = rest.substr(0, end);
        if (segment.find('*') != std::string_view::npos) break;
        auto& child = node->children[std::string(segment)];
        if (!child) child = std::make_unique<Node>();
        node = child.get();
        rest.remove_prefix(end);
      }
      node->entries.push_back(entry);
    }
  }

  // Calls visit(Entry) for each rule with a pattern that may match; for one with several patterns, perhaps more than once.
  template <class Visit>
  void visit(std::string_view path, Visit&& visit_entry) const {
    const Node* node = &root_;
    for (;;) {
      for (const Entry& entry : node->entries) visit_entry(entry);
      if (path.empty() || node->children.empty()) return;
      const auto end = std::min(path.find('/', 1), path.size());
      const auto child = node->children.find(path.substr(0, end));
      if (child == node->children.end()) return;
      node = child->second.get();
      path.remove_prefix(end);
    }
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  struct Node {
    std::vector<Entry> entries;
    std::unordered_map<std::string, std::unique_ptr<Node>, Hash, std::equal_to<>> children;
  };
  Node root_;
};

}  // namespace weir::policy
