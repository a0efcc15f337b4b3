#include <algorithm>

#include "policy/formatting/layout.h"

namespace weir::policy {

namespace {

constexpr std::size_t kColumns = 100, kLongKey = 1000;

std::size_t width_of(std::string_view text) {  // in characters
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

struct Line {
  std::string code;
  std::string comment;  // at its end
};

class Printer {
 public:
  std::string print(const Layout& root) {
    comments(root.above, 0, true);
    bool was_long = false;
    for (std::size_t i = 0; i < root.children.size(); ++i) {
      const Layout& child = root.children[i];
      Printer part;
      part.entry(child, 0, "");
      const bool is_long = part.lines_.size() > 1;
      if (i > 0 && (is_long || was_long)) blank();
      comments(child.above, 0, true);
      if (child.blank_before) blank();
      std::ranges::move(part.lines_, std::back_inserter(lines_));
      was_long = is_long;
    }
    comments(root.below, 0, true);
    return joined();
  }

 private:
  static bool may_be_inline(const Layout& node) {
    if (node.kind == Layout::Kind::scalar || node.children.empty()) return true;
    return !node.spread && !node.has_comments_inside() && std::ranges::all_of(node.children, may_be_inline);
  }

  void blank() {
    if (!lines_.empty() && !(lines_.back().code.empty() && lines_.back().comment.empty())) lines_.emplace_back();
  }

  void comments(const std::vector<CommentLine>& list, std::size_t indent, bool airy) {
    for (const auto& line : list) {
      if (airy && line.blank_before) blank();
      lines_.push_back({std::string(indent, ' ') + line.text, {}});
    }
  }

  // An entry of a map, from `lead` on ("- " when it is the first of an item), whose `above` has been printed.
  void entry(const Layout& node, std::size_t indent, std::string_view lead) {
    const auto begin = std::string(indent - lead.size(), ' ') + std::string(lead);
    // The parser looks no further than 1024 characters for a colon (YAML 1.1 §9.2.1), unless it is told that here is a key.
    const bool is_long = node.key.size() > kLongKey;
    if (is_long) lines_.push_back({begin + "? " + node.key, {}});
    value(node, indent, is_long ? std::string(indent, ' ') + ":" : begin + node.key + ":", " ");
  }

  void value(const Layout& node, std::size_t indent, std::string begin, std::string_view gap) {
    if (may_be_inline(node)) {
      auto whole = begin + std::string(gap) + inline_text(node);
      if (node.kind == Layout::Kind::scalar || node.children.empty() || width_of(whole) <= kColumns) {
        lines_.push_back({std::move(whole), node.beside});
        comments(node.below, indent + 2, false);
        return;
      }
    }
    lines_.push_back({std::move(begin), node.beside});
    children(node, indent + 2);
  }

  void children(const Layout& node, std::size_t indent) {
    for (const Layout& child : node.children) {
      const bool is_first = &child == &node.children.front();
      auto above = child.above;
      if (is_first && !above.empty()) above.front().blank_before = false;
      comments(above, indent, node.airy);
      if (node.airy && child.blank_before && !(is_first && above.empty())) blank();
      if (node.kind == Layout::Kind::map)
        entry(child, indent, "");
      else
        item(child, indent);
    }
    comments(node.below, indent, node.airy);
  }

  void item(const Layout& node, std::size_t indent) {
    if (node.kind != Layout::Kind::map || node.children.empty() || (!node.spread && may_be_inline(node))) {
      value(node, indent, std::string(indent, ' ') + "-", " ");
      return;
    }
    const bool beside_is_taken = !node.children.front().beside.empty();
    if (!node.beside.empty() && beside_is_taken) comments({{node.beside, false}}, indent, false);
    for (const Layout& child : node.children) {
      const bool is_first = &child == &node.children.front();
      comments(child.above, is_first ? indent : indent + 2, false);
      if (is_first && !beside_is_taken && !node.beside.empty()) {
        Layout first = child;
        first.beside = node.beside;
        entry(first, indent + 2, "- ");
      } else {
        entry(child, indent + 2, is_first ? "- " : "");
      }
    }
    comments(node.below, indent + 2, false);
  }

  // Comments at the ends of neighbouring lines stand below each other.
  std::string joined() const {
    std::string out;
    for (std::size_t i = 0; i < lines_.size();) {
      std::size_t end = i, column = 0;
      for (; end < lines_.size() && !lines_[end].comment.empty(); ++end)
        column = std::max(column, width_of(lines_[end].code) + 2);
      for (; i < end; ++i) {
        out += lines_[i].code;
        out.append(column - width_of(lines_[i].code), ' ');
        out += lines_[i].comment + "\n";
      }
      if (i < lines_.size()) out += lines_[i++].code + "\n";
    }
    return out;
  }

  std::vector<Line> lines_;
};

}  // namespace

std::string inline_text(const Layout& node) {
  if (node.kind == Layout::Kind::scalar) return node.text;
  const bool is_map = node.kind == Layout::Kind::map;
  std::string out = is_map ? "{" : "[";
  for (const Layout& child : node.children) {
    if (&child != &node.children.front()) out += ", ";
    out += is_map ? child.key + ": " + inline_text(child) : inline_text(child);
  }
  return out + (is_map ? "}" : "]");
}

bool Layout::has_comments_inside() const {
  return !below.empty() || std::ranges::any_of(children, [](const Layout& child) {
    return !child.above.empty() || !child.beside.empty() || child.has_comments_inside();
  });
}

std::string print(const Layout& root) { return Printer().print(root); }

}  // namespace weir::policy
