#include "policy/matching/text_glob.h"

#include "base/text.h"

namespace weir::policy {

TextGlob::TextGlob(std::string_view pattern) {
  for (const auto piece : split(pattern, '*')) pieces_.emplace_back(piece);
}

// Leftmost is enough for each piece between the first and the last: what comes after can only profit from it.
bool TextGlob::matches(std::string_view text) const {
  const std::string_view first = pieces_.front();
  if (pieces_.size() == 1) return text == first;
  const std::string_view last = pieces_.back();
  if (text.size() < first.size() + last.size() || !text.starts_with(first) || !text.ends_with(last)) return false;
  text.remove_prefix(first.size());
  text.remove_suffix(last.size());
  for (std::size_t i = 1; i + 1 < pieces_.size(); ++i) {
    const auto at = text.find(pieces_[i]);
    if (at == std::string_view::npos) return false;
    text.remove_prefix(at + pieces_[i].size());
  }
  return true;
}

}  // namespace weir::policy
