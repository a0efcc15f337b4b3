// The policy language as a JSON Schema (draft 2020-12), for editors. Made from the tables that the loader reads with.
#pragma once

#include <string>

namespace weir::policy {

std::string json_schema();  // indented, with a newline at its end; docs/policy.schema.json holds the same

}  // namespace weir::policy
