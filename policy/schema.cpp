#include "policy/schema.h"

#include <nlohmann/json.hpp>

#include "policy/loading/sections.h"

namespace weir::policy {

std::string json_schema() {
  Schema schema = {
      {"$schema", "https://json-schema.org/draft/2020-12/schema"},
      {"title", "weir policy"},
      {"description", "What a sandbox may reach, and with what credentials. Everything not allowed is denied."}};
  schema.update(policy_schema());
  return schema.dump(2) + "\n";
}

}  // namespace weir::policy
