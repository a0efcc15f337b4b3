// Globs that cover paths which were seen, with what varies left open.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::policy {

// `uses` are bits of whoever asks: a path was seen for each of them (methods, for instance). A glob is for the uses of the
// paths from which it was made.
struct SeenPath {
  std::string path;  // CanonicalPath::decoded, not ambiguous
  std::uint32_t uses = 0;
};
struct PathPattern {
  std::string glob;
  std::uint32_t uses = 0;
  bool operator==(const PathPattern&) const = default;
};

// In order; none that another covers for all of its uses. Every path is matched by a glob that has its uses.
std::vector<PathPattern> generalise(std::span<const SeenPath> seen);

// Whether a segment by itself looks like one of many: a long number, an id, a hash, a date.
bool looks_like_a_value(std::string_view segment);

}  // namespace weir::policy
