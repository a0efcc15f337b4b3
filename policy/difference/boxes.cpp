#include "policy/difference/boxes.h"

#include <algorithm>
#include <map>

namespace weir::policy {

std::vector<Box> joined(std::vector<Box> boxes) {
  if (boxes.empty()) return boxes;
  for (std::size_t dimension = 0; dimension < boxes.front().size(); ++dimension) {
    std::map<Box, std::vector<std::uint32_t>> by_the_others;
    for (auto& box : boxes) {
      auto values = std::move(box[dimension]);
      box[dimension].clear();
      auto& all = by_the_others[std::move(box)];
      all.insert(all.end(), values.begin(), values.end());
    }
    boxes.clear();
    for (auto& [others, values] : by_the_others) {
      std::ranges::sort(values);
      values.erase(std::ranges::unique(values).begin(), values.end());
      Box box = others;
      box[dimension] = std::move(values);
      boxes.push_back(std::move(box));
    }
  }
  return boxes;
}

}  // namespace weir::policy
