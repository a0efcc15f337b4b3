// A random value of a given shape, for an entry that is to be rotated.
#pragma once

#include <string_view>

#include "base/error.h"
#include "base/secret.h"

namespace weir::vault::store {

// `shape`: text with `{random:N}` in it, once or more, N random letters and digits each; together 16 to 4096 of these.
// "shape_invalid".
Result<Secret> random_value(std::string_view shape);

}  // namespace weir::vault::store
