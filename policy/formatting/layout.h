// What is to be written, and how it is laid out: two spaces for each level, short lists and maps on one line, comments where
// they were.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::policy {

struct CommentLine {
  std::string text;  // with its '#'
  bool blank_before = false;
};

struct Layout {
  enum class Kind : std::uint8_t { scalar, sequence, map } kind = Kind::scalar;
  std::string key;   // of an entry of a map, as it is to be written
  std::string text;  // of a scalar, as it is to be written
  std::vector<Layout> children;
  bool spread = false;             // never on one line
  bool airy = false;               // keeps a blank line between its children where there was one
  bool blank_before = false;       // right before its own line, after `above`
  std::vector<CommentLine> above;  // lines of their own before it
  std::string beside;              // at the end of its (first) line
  std::vector<CommentLine> below;  // lines of their own after its last child

  bool has_comments_inside() const;
};

// `root` is a map. Its entries are set apart by a blank line where one of them has several lines.
std::string print(const Layout& root);

// All of a node on one line, as within brackets, without comments.
std::string inline_text(const Layout& node);

// A word as YAML: plain where nobody, parser or reader, could take it for something else; in double quotes elsewhere.
// `on_its_line`: it will never stand within brackets, where commas and brackets would end it.
std::string quoted_if_needed(std::string_view text, bool on_its_line = false);

}  // namespace weir::policy
