// The program's verbs: one file each. add_X() declares a verb on the command line and what it does; the callback sets
// `status`, the program's exit status (0 done, 1 found problems, 2 bad input or nothing could be started).
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace weir::cli {

// `command` is what stood behind "--" on the command line; empty when there was none.
void add_run(CLI::App& app, int& status, std::vector<std::string> command);
void add_approvals(CLI::App& app, int& status);  // approvals, approve, deny
void add_demo(CLI::App& app, int& status);
void add_doctor(CLI::App& app, int& status);
void add_log(CLI::App& app, int& status);
void add_policy(CLI::App& app, int& status);
void add_profiles(CLI::App& app, int& status);
void add_vault(CLI::App& app, int& status);

// "weir: MESSAGE" on standard error, in red when that is a terminal. Gives 2, for `status = complain(...)`.
int complain(const std::string& message);

}  // namespace weir::cli
