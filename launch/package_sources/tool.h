// Runs a program of this host to its end and takes what it says.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"

namespace weir::launch {

struct ToolCall {
  std::string program;                  // absolute; no shell
  std::vector<std::string> arguments;   // without argv[0]
  std::map<std::string, std::string> environment;
  std::chrono::milliseconds time_limit{20'000};
  std::string directory = "/";  // where it runs: nothing of a project's is there
};

struct ToolAnswer {
  int status = 0;  // exit code; 128 + N when a signal N ended it
  std::string out;
  std::string err;
};

// Standard input is empty. A program that takes longer or says more than 4 MiB is killed, with all that it started.
// "tool_failed" when it cannot be started, took too long or said too much; any exit status is an answer.
Result<ToolAnswer> run_tool(const ToolCall& call);

// The same, where another status than 0 is an error too; it quotes the last line that the program said.
Result<std::string> ask_tool(const ToolCall& call);

// "npm config list", for comments.
std::string command_line(const ToolCall& call);

}  // namespace weir::launch
