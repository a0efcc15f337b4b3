// Path patterns: a pattern, a newline, a path. The matcher must agree with the plain definition on short inputs and be
// done at once on long ones.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "policy/matching/path_glob.h"

namespace {

bool segment_by_definition(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*')
    return segment_by_definition(pattern.substr(1), text) ||
           (!text.empty() && segment_by_definition(pattern, text.substr(1)));
  return !text.empty() && text[0] == pattern[0] && segment_by_definition(pattern.substr(1), text.substr(1));
}

bool by_definition(std::string_view pattern, std::string_view path) {
  if (pattern.empty()) return path.empty();
  const auto pattern_end = std::min(pattern.find('/', 1), pattern.size());
  const auto path_end = path.empty() ? 0 : std::min(path.find('/', 1), path.size());
  const auto rest = pattern.substr(pattern_end);
  if (pattern.substr(1, pattern_end - 1) == "**") {
    if (rest.empty()) return !path.empty();
    return by_definition(rest, path) || (!path.empty() && by_definition(pattern, path.substr(path_end)));
  }
  return !path.empty() && segment_by_definition(pattern.substr(1, pattern_end - 1), path.substr(1, path_end - 1)) &&
         by_definition(rest, path.substr(path_end));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto newline = text.find('\n');
  if (newline == std::string_view::npos) return 0;
  const auto pattern = text.substr(0, newline), path = text.substr(newline + 1);
  const auto glob = weir::policy::PathGlob::compile(pattern);
  if (!glob) return 0;
  const bool matches = glob->matches(path);
  if (!path.starts_with('/')) {
    if (matches) std::abort();
  } else if (pattern.size() <= 16 && path.size() <= 24 && matches != by_definition(pattern, path)) {
    std::abort();
  }
  return 0;
}
