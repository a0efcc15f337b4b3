#include "policy/matching/path_glob.h"

#include "base/text.h"
#include "policy/canonical.h"

namespace weir::policy {

namespace {

constexpr std::size_t kMaxPattern = 1024;
constexpr std::size_t kNoMatch = std::string_view::npos;

std::unexpected<Error> refuse(std::string_view pattern, const std::string& why) {
  return fail("path_pattern_invalid", "path pattern `" + printable(pattern, 200) + "` " + why);
}

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

Result<void> check_characters(std::string_view pattern) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const auto c = static_cast<unsigned char>(pattern[i]);
    if (c < 0x20 || c == 0x7f || c == '\\')
      return refuse(pattern, "has a control character or a backslash, which no allowed path has");
    if (c == '?' || c == '#') return refuse(pattern, "has a `?` or `#`: paths are matched without the query");
    if (c == '%' && i + 2 < pattern.size() && is_hex(pattern[i + 1]) && is_hex(pattern[i + 2]) &&
        pattern.substr(i, 3) != "%2F")
      return refuse(pattern, "has a percent escape: write the character itself (only %2F, in upper case, stays escaped)");
  }
  if (valid_utf8_prefix(pattern) != pattern.size()) return refuse(pattern, "is not valid UTF-8");
  return {};
}

}  // namespace

Result<PathGlob> PathGlob::compile(std::string_view pattern) {
  if (!pattern.starts_with('/')) return refuse(pattern, "does not begin with `/`");
  if (pattern.size() > kMaxPattern) return refuse(pattern, "is longer than 1024 characters");
  if (auto checked = check_characters(pattern); !checked) return std::unexpected(checked.error());

  PathGlob glob;
  glob.runs_.emplace_back();
  const auto segments = split(pattern.substr(1), '/');
  bool previous_was_any = false;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const auto segment = segments[i];
    const bool last = i + 1 == segments.size();
    if (segment == "**") {
      if (previous_was_any) return refuse(pattern, "has `**` twice in a row: once means the same");
      previous_was_any = true;
      glob.runs_.emplace_back();
      glob.open_end_ = last;
      continue;
    }
    previous_was_any = false;
    if (segment.find("**") != std::string_view::npos)
      return refuse(pattern, "has `**` beside other characters: it stands for whole segments, as in `/a/**`");
    if (segment == "." || segment == ".." || segment.starts_with("..;") || segment.starts_with(".;"))
      return refuse(pattern, "has a dot segment, which is resolved before matching, so it would never match");
    if (segment.empty() && !last) return refuse(pattern, "has an empty segment (`//`), which no allowed path has");
    glob.runs_.back().emplace_back(segment);
  }
  if (pattern.find('*') == std::string_view::npos) glob.literal_ = pattern;
  return glob;
}

// `from` is the position of a slash (or the end). Gives the position after the run's last segment.
std::size_t PathGlob::match_run(const Run& run, std::string_view path, std::size_t from) {
  for (const auto& segment : run) {
    if (from >= path.size()) return kNoMatch;
    const auto end = std::min(path.find('/', from + 1), path.size());
    if (!segment.matches(path.substr(from + 1, end - from - 1))) return kNoMatch;
    from = end;
  }
  return from;
}

bool PathGlob::matches(std::string_view path) const {
  if (!literal_.empty()) return path == literal_;
  if (!path.starts_with('/')) return false;
  std::size_t at = match_run(runs_.front(), path, 0);
  if (at == kNoMatch) return false;
  if (runs_.size() == 1) return at == path.size();

  for (std::size_t i = 1; i + 1 < runs_.size(); ++i) {  // runs with `**` on both sides: leftmost is enough, as above
    std::size_t end = kNoMatch;
    for (std::size_t from = at; from < path.size(); from = std::min(path.find('/', from + 1), path.size()))
      if ((end = match_run(runs_[i], path, from)) != kNoMatch) break;
    if (end == kNoMatch) return false;
    at = end;
  }
  if (open_end_) return at < path.size();

  // The last run is held to the end: go back over as many segments as it has.
  std::size_t start = path.size();
  for (std::size_t i = 0; i < runs_.back().size(); ++i) {
    if (start <= at) return false;
    start = path.rfind('/', start - 1);
  }
  return start != kNoMatch && start >= at && match_run(runs_.back(), path, start) == path.size();
}

}  // namespace weir::policy
