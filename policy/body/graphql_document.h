// What a GraphQL document asks for at its root: every operation with every field that its root selection set can come to.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "policy/body.h"

namespace weir::policy {

// Bounds on the work for one document; beyond them it is not read.
struct GraphqlLimits {
  int depth = 64;  // selection sets, values and types within each other
  std::size_t tokens = 100'000;
  std::size_t expansions = 200'000;  // root selections that are visited, through fragments too
};

// Parses an executable document (specification of October 2021, §2) and appends its operations to `out`: each root field of
// each operation once, in order of appearance, an alias as the field that it stands for. The error's message is a clause.
// Refused besides what the grammar refuses: definitions of types, fragments that are unknown, defined twice, or lead
// back to themselves.
Result<void> read_graphql_document(std::string_view document, const GraphqlLimits& limits, std::vector<Operation>& out);

}  // namespace weir::policy
