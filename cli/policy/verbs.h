// The verbs of `weir policy`: one file each. add_policy_X() declares the verb below `policy`; its callback sets `status`
// (0 done, 1 found problems, 2 bad input; `explain` has more).
#pragma once

#include <CLI/CLI.hpp>

namespace weir::cli {

void add_policy_check(CLI::App& policy, int& status);
void add_policy_explain(CLI::App& policy, int& status);
void add_policy_test(CLI::App& policy, int& status);
void add_policy_learn(CLI::App& policy, int& status);
void add_policy_diff(CLI::App& policy, int& status);
void add_policy_fmt(CLI::App& policy, int& status);
void add_policy_show(CLI::App& policy, int& status);     // show and presets
void add_policy_reload(CLI::App& policy, int& status);
void add_policy_schema(CLI::App& policy, int& status);

}  // namespace weir::cli
