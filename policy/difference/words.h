// Sets of values in the words of the policy files.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "policy/difference/dimensions.h"

namespace weir::policy {

struct Wording {
  std::vector<std::string> words;  // empty: any
  std::vector<std::string> but;    // what is taken out of `words`
};

Wording words_for(const Dimension& dimension, std::span<const std::uint32_t> values);

}  // namespace weir::policy
