// The comments of a YAML text, which its parser drops: found with the help of the parsed tree, which knows where each word
// stands, so that a '#' within a word is never taken for one.
#pragma once

#include <cstddef>
#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "policy/loading/yaml_tree.h"

namespace weir::policy {

struct Comment {
  std::size_t offset = 0;
  Place place;
  std::string text;           // with its '#', without blanks at the end
  bool alone = false;         // on a line of its own
  bool blank_before = false;  // the line before is blank
};

// From places in a text to offsets and back.
class Lines {
 public:
  explicit Lines(std::string_view text);
  std::size_t offset_of(const Place& place) const;
  Place place_of(std::size_t offset) const;  // without a file
  bool is_blank(int line) const;             // from 1; no line is blank

 private:
  std::string_view line(int number) const;
  std::string_view text_;
  std::vector<std::size_t> starts_;
};

struct Scan {
  std::vector<Comment> comments;            // in order
  std::map<std::size_t, std::size_t> ends;  // of words and of lists and maps in brackets: begin to one past the end
  std::vector<std::size_t> dashes;          // that begin items
  std::map<std::size_t, std::size_t> marks;  // keys that have a question mark before them, and where that is
};

struct Unkept {  // something of the text that a new form could not keep
  std::size_t offset = 0;
  std::string message, hint;
};

// `tree` is what parse_yaml() made of `text`.
std::expected<Scan, Unkept> scan_comments(std::string_view text, const Lines& lines, const YamlTree& tree);

}  // namespace weir::policy
