// `weir policy`: everything about policy files that needs no sandbox.
#include "cli/policy/verbs.h"
#include "cli/verbs.h"

namespace weir::cli {

void add_policy(CLI::App& app, int& status) {
  auto* policy = app.add_subcommand("policy", "Check, explain, test, learn and compare policy files");
  policy->require_subcommand(1);
  add_policy_check(*policy, status);
  add_policy_explain(*policy, status);
  add_policy_test(*policy, status);
  add_policy_learn(*policy, status);
  add_policy_diff(*policy, status);
  add_policy_fmt(*policy, status);
  add_policy_reload(*policy, status);
  add_policy_show(*policy, status);
  add_policy_schema(*policy, status);
}

}  // namespace weir::cli
