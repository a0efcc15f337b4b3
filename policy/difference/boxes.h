// Many single requests as few products of sets: what makes a difference readable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir::policy {

// For each dimension the values that are in, sorted.
using Box = std::vector<std::vector<std::uint32_t>>;

// Joins boxes that differ in one dimension only, one dimension after the other. Covers exactly what `boxes` did.
std::vector<Box> joined(std::vector<Box> boxes);

}  // namespace weir::policy
