// Completion of weir's command line in a shell: `weir completion SHELL` prints a small script, and the script asks
// `weir __complete SHELL WORD…` what could stand at the last word. All answers come from the verbs and options as they are
// declared, so that completion cannot part from the program.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace weir::cli {

struct Candidate {
  std::string word;
  std::string description{};
  bool operator==(const Candidate&) const = default;
};

struct Completion {
  std::vector<Candidate> candidates;
  bool files = false;     // file names, too
  bool commands = false;  // names of programs, too
};

// `words`: what stands behind the program's name, the last one being completed (empty: a new word).
Completion complete(const CLI::App& app, const std::vector<std::string>& words);

// `weir __complete`: a line for each candidate, its description behind a tab; ":files" and ":commands" ask the shell for its own.
// `arguments`: the shell's name and the words.
int answer_completion(const CLI::App& app, const std::vector<std::string>& arguments);

void add_completion(CLI::App& app, int& status);

}  // namespace weir::cli
