// The classes into which several globs together cut all texts: for each set of globs that some text matches, and no others,
// one such text. Found by walking the globs' automata in step, breadth first, so that each text is about the shortest.
#pragma once

#include <string>
#include <vector>

namespace weir::policy {

enum class GlobKind {
  path,        // of rules: canonical paths
  text,        // any text
  word,        // text that is not empty
  header,      // what a header's value may be
  media_type,  // type/subtype
};

struct GlobClass {
  std::vector<bool> matched;  // by each of the globs
  bool encoded_slash = false;
  std::string text;
};

struct GlobClasses {
  std::vector<GlobClass> classes;
  bool complete = true;  // false: there were too many states to see them all
};

GlobClasses classes_of(const std::vector<std::string>& globs, GlobKind kind);

// A decoded path as it goes over the wire.
std::string wire_path(const std::string& decoded);

}  // namespace weir::policy
