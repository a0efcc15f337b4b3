// Where a rule can have a say: what keeps a comparison from asking about requests that no changed rule could match.
#pragma once

#include <vector>

#include "policy/difference/dimensions.h"

namespace weir::policy {

// For each dimension, whether the rule could match or be in doubt with a request that has this value. `start` is a request
// to the place that is looked at.
using Reach = std::vector<std::vector<bool>>;
Reach reach_of(const Rule& rule, const std::vector<Dimension>& dimensions, const SampleRequest& start);

}  // namespace weir::policy
