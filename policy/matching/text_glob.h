// A pattern on one value: `*` stands for any characters, also none; all else is literal and compared exactly.
// Matching takes time in proportion to value plus pattern: nothing is tried twice.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir::policy {

class TextGlob {
 public:
  explicit TextGlob(std::string_view pattern);
  bool matches(std::string_view text) const;

 private:
  std::vector<std::string> pieces_;  // literal text in this order, with anything between: "a*b*" is {"a","b",""}
};

}  // namespace weir::policy
