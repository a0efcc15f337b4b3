// `weir policy schema`: the JSON Schema of policy files, for editors.
#include "policy/schema.h"

#include <memory>

#include "cli/policy/shared.h"
#include "cli/policy/verbs.h"

namespace weir::cli {

void add_policy_schema(CLI::App& policy, int& status) {
  auto* verb = policy.add_subcommand("schema", "The JSON Schema of policy files, for an editor that completes YAML");
  const auto as_json = std::make_shared<bool>(false);
  add_json_flag(verb, *as_json)->description("as JSON, which it is anyway");
  verb->callback([as_json, &status] {
    print(policy::json_schema());
    status = 0;
  });
}

}  // namespace weir::cli
