// A path pattern of a rule, compiled: `*` is any run of characters within one segment (also none), `**` any segments.
// Matching takes time in proportion to path times pattern at worst, whatever they hold: nothing is tried twice.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "policy/matching/text_glob.h"

namespace weir::policy {

class PathGlob {
 public:
  // `pattern` is what CanonicalPath::decoded looks like, with `*` in segments and `**` as a whole segment. Errors say
  // what is wrong with it, among them patterns that no canonical path could ever match.
  static Result<PathGlob> compile(std::string_view pattern);

  // "/**" at the end stands for one segment or more (the last may be empty, as in "/a/"), elsewhere for none or more.
  bool matches(std::string_view decoded_path) const;

 private:
  using Run = std::vector<TextGlob>;  // segments that stand side by side

  std::vector<Run> runs_;  // with `**` between them; one run: no `**`
  bool open_end_ = false;  // the pattern ends in `**`; then the last run is empty
  std::string literal_;    // the whole pattern when it has no wildcard

  static std::size_t match_run(const Run& run, std::string_view path, std::size_t from);
};

}  // namespace weir::policy
