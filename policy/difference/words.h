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
  // Of paths, beside these: classes that no glob of the files stands for alone, each by a path that is in it.
  std::vector<std::string> like, but_like;
};

Wording words_for(const Dimension& dimension, std::span<const std::uint32_t> values);

}  // namespace weir::policy
