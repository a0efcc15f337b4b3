#include "proxy/leaks/stream_scan.h"

#include <algorithm>
#include <utility>

namespace weir::proxy::leaks {

void StreamScan::note_passed(std::string_view bytes) {
  if (bytes.size() < before_.size()) std::copy(before_.begin() + static_cast<std::ptrdiff_t>(bytes.size()), before_.end(), before_.begin());
  bytes = bytes.substr(bytes.size() - std::min(bytes.size(), before_.size()));
  std::copy(bytes.begin(), bytes.end(), before_.end() - static_cast<std::ptrdiff_t>(bytes.size()));
}

// `known` bytes at the front were looked at before: what ends in them was told then.
std::size_t StreamScan::scan(std::string_view bytes, std::size_t known, bool last, std::vector<Finding>& findings) {
  std::size_t keep = 0;
  std::vector<std::pair<std::size_t, std::size_t>> of_needles;
  if (needles_ != nullptr) {
    const auto on_needle = [&](const Hit& hit) {
      of_needles.emplace_back(hit.begin, hit.end);
      if (hit.end > known) findings.push_back({.token = false, .needle = hit.id, .form = hit.form, .kind = {}});
      return true;
    };
    keep = needles_->scan(bytes, on_needle);
  }
  if (tokens_) {
    const auto on_token = [&](const TokenHit& hit) {
      if (passed_ + hit.begin < told_) return true;
      told_ = passed_ + hit.end;
      // A placeholder has a token's form and a bound secret is one: they are told as what they are.
      const auto overlaps = [&](const auto& needle) { return needle.first < hit.end && hit.begin < needle.second; };
      if (std::ranges::any_of(of_needles, overlaps)) return true;
      findings.push_back({.token = true, .needle = 0, .form = Form::raw, .kind = hit.kind});
      return true;
    };
    keep = std::max(keep, scan_tokens(bytes, last, on_token, {before_.data(), before_.size()}));
  }
  return last ? 0 : keep;
}

}  // namespace weir::proxy::leaks
