// A program that prints a secret (`pass show github`): what `exec:` names. Blocks until it ends, ten seconds at most.
#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/secret.h"

namespace weir::vault {

struct CommandLimits {
  int milliseconds = 10'000;
  std::size_t octets = 64U << 10;                // of its output
  const std::atomic<bool>* cancelled = nullptr;  // looked at now and then
};

// What stands behind "exec:": a JSON list of strings, or the program's path alone. The program's path is absolute.
Result<std::vector<std::string>> parse_command(std::string_view text);

// What it printed, without the last newline. No shell; standard input is empty; a process group of its own, which is
// killed when time is up. Its environment is weir's: programs like pass need HOME and more. Errors tell its status and the
// first line that it wrote to standard error, never its output.
// "exec_invalid", "exec_failed", "exec_too_slow", "exec_too_long", "exec_empty".
Result<Secret> run_command(const std::vector<std::string>& command, CommandLimits limits = {});

}  // namespace weir::vault
