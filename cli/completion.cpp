#include "cli/completion.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>

#include "base/paths.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/completion_scripts.h"
#include "cli/verbs.h"
#include "events/reader.h"
#include "launch/profile.h"
#include "policy/loader.h"

extern char** environ;

namespace weir::cli {

namespace {

constexpr std::size_t kSessions = 30;  // the newest

std::string first_line(std::string_view text) { return std::string(text.substr(0, text.find('\n'))); }

void add_presets(Completion& completion) {
  for (const auto& preset : policy::presets())
    completion.candidates.push_back({std::string(preset.name), preset.text.starts_with("# ") ? first_line(preset.text.substr(2)) : ""});
  for (const auto name : policy::host_presets()) completion.candidates.push_back({std::string(name), "packages, from where this host gets them"});
}

void add_profiles(Completion& completion) {
  const auto profiles = launch::profiles();
  if (!profiles) return;
  for (const auto& profile : *profiles) completion.candidates.push_back({profile.name, first_line(profile.description)});
}

void add_logins(Completion& completion) {
  const auto profiles = launch::profiles();
  if (!profiles) return;
  for (const auto& profile : *profiles)
    if (profile.login) completion.candidates.push_back({profile.name, first_line(profile.description)});
}

void add_sessions(Completion& completion) {
  const auto sessions = events::list_sessions(sessions_directory());
  if (!sessions) return;
  for (std::size_t i = 0; i < std::min(sessions->size(), kSessions); ++i)
    completion.candidates.push_back({(*sessions)[i].id, format_timestamp((*sessions)[i].started_us).substr(0, 19) + "Z"});
}

void add_variables(Completion& completion) {
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    completion.candidates.push_back({std::string(text.substr(0, text.find('=')))});
  }
}

// "{group,sync}", as CLI::IsMember describes itself.
std::vector<std::string> fixed_values(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const auto open = type.find('{'), close = type.find('}');
  std::vector<std::string> values;
  if (open == std::string::npos || close == std::string::npos || close < open) return values;
  for (const auto value : split(std::string_view(type).substr(open + 1, close - open - 1), ',')) values.emplace_back(trim(value));
  return values;
}

// What an option or argument takes, told by how it is declared.
void add_values(const CLI::Option& option, Completion& completion) {
  if (const auto values = fixed_values(option); !values.empty()) {
    for (const auto& value : values) completion.candidates.push_back({value});
    return;
  }
  const std::string name = option.get_positional() ? option.get_name(true, false) : option.get_single_name();
  const std::string type = option.get_type_name();
  if (name == "profile") return add_profiles(completion);
  if (name == "login" || type == "LOGIN") return add_logins(completion);
  if (name == "env") return add_variables(completion);
  if (to_lower(name) == "session" || type == "SESSION") return add_sessions(completion);
  if (name == "METHOD") {
    for (const char* method : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) completion.candidates.push_back({method});
    return;
  }
  if (name == "URL") return completion.candidates.push_back({"https://"});
  if (name.find("PRESET") != std::string::npos) add_presets(completion);
  // Where something else is meant (a number, a host), a file's name is no help; a plain argument is mostly a file.
  completion.files = type.find("FILE") != std::string::npos || type == "MOUNT" || type == "PATH" || option.get_positional();
}

const CLI::Option* find_option(const CLI::App& app, const std::string& name) {
  for (const CLI::App* at = &app; at != nullptr; at = at->get_parent())
    for (const auto* option : at->get_options())
      if (option->nonpositional() && option->check_name(name)) return option;
  return nullptr;
}

bool takes_a_value(const CLI::Option& option) { return option.get_items_expected_min() > 0; }

const CLI::App* find_verb(const CLI::App& app, const std::string& name) {
  for (const auto* verb : app.get_subcommands({}))
    if (verb->get_name() == name) return verb;
  return nullptr;
}

void add_options(const CLI::App& app, Completion& completion) {
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames())
      completion.candidates.push_back({"--" + name, option->get_description()});
    if (option->get_lnames().empty())
      for (const auto& name : option->get_snames()) completion.candidates.push_back({"-" + name, option->get_description()});
  }
}

// Arguments and sub-verbs where the next plain word would stand.
void add_plain(const CLI::App& app, std::size_t position, Completion& completion) {
  if (position == 0)
    for (const auto* verb : app.get_subcommands({})) completion.candidates.push_back({verb->get_name(), verb->get_description()});
  std::size_t index = 0;
  for (const auto* option : app.get_options())
    if (option->get_positional() && index++ == position) add_values(*option, completion);
}

void keep_matching(Completion& completion, std::string_view beginning) {
  std::erase_if(completion.candidates, [&](const Candidate& candidate) { return !candidate.word.starts_with(beginning); });
}

// bash takes words apart at `=` and `:`, and completes the last piece only.
std::vector<std::string> joined(const std::vector<std::string>& words) {
  std::vector<std::string> whole;
  bool join = false;
  for (const auto& word : words) {
    const bool mark = word == "=" || word == ":";
    if (!whole.empty() && (join || mark) && whole.back() != "--")
      whole.back() += word;
    else
      whole.push_back(word);
    join = mark;
  }
  return whole;
}

}  // namespace

Completion complete(const CLI::App& app, const std::vector<std::string>& words) {
  Completion completion;
  const CLI::App* verb = &app;
  const CLI::Option* pending = nullptr;  // an option whose value comes next
  std::size_t position = 0;              // plain words that are no verbs
  const std::string current = words.empty() ? std::string() : words.back();
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const auto& word = words[i];
    if (word == "--" || (position > 0 && verb->get_prefix_command())) {
      // What the sandbox runs: a program, then what that takes.
      completion.commands = i + 2 == words.size() && word == "--";
      completion.files = !completion.commands;
      return completion;
    }
    if (pending != nullptr) {
      pending = nullptr;
    } else if (word.size() > 1 && word.front() == '-') {
      const auto* option = find_option(*verb, word.substr(0, word.find('=')));
      if (option != nullptr && takes_a_value(*option) && word.find('=') == std::string::npos) pending = option;
    } else if (const auto* next = find_verb(*verb, word); next != nullptr && position == 0) {
      verb = next;
    } else {
      ++position;
    }
  }
  const auto equals = current.find('=');
  if (pending != nullptr) {
    add_values(*pending, completion);
    keep_matching(completion, current);
  } else if (current.starts_with("--") && equals != std::string::npos) {
    if (const auto* option = find_option(*verb, current.substr(0, equals)); option != nullptr) add_values(*option, completion);
    for (auto& candidate : completion.candidates) candidate.word = current.substr(0, equals + 1) + candidate.word;
    keep_matching(completion, current);
  } else if (current.starts_with('-')) {
    add_options(*verb, completion);
    keep_matching(completion, current);
  } else if (verb->get_prefix_command()) {
    completion.commands = position == 0;
    completion.files = position > 0;
  } else {
    add_plain(*verb, position, completion);
    keep_matching(completion, current);
  }
  return completion;
}

int answer_completion(const CLI::App& app, const std::vector<std::string>& arguments) {
  if (arguments.empty()) return complain("__complete is for the scripts that `weir completion` prints");
  const bool bash = arguments.front() == "bash";
  std::vector<std::string> words(arguments.begin() + 1, arguments.end());
  if (bash) words = joined(words);
  const auto completion = complete(app, words);
  // Of `--learn=FILE` bash replaces what stands behind the mark.
  const auto current = words.empty() ? std::string() : words.back();
  const auto mark = bash ? current.find_last_of("=:") : std::string::npos;
  for (const auto& [word, description] : completion.candidates) {
    const auto shown = mark == std::string::npos ? word : word.substr(mark + 1);
    std::printf("%s\t%s\n", shown.c_str(), printable(first_line(description), 200).c_str());
  }
  if (completion.files) std::puts(":files");
  if (completion.commands) std::puts(":commands");
  return 0;
}

void add_completion(CLI::App& app, int& status) {
  auto* verb = app.add_subcommand("completion", "A script that completes weir's command line in bash, zsh or fish");
  const auto shell = std::make_shared<std::string>();
  verb->add_option("SHELL", *shell, "for instance: weir completion bash > ~/.local/share/bash-completion/completions/weir")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  verb->callback([shell, &status] {
    const std::string_view script = *shell == "bash" ? kBashCompletion : *shell == "zsh" ? kZshCompletion : kFishCompletion;
    std::fwrite(script.data(), 1, script.size(), stdout);
    status = 0;
  });
}

}  // namespace weir::cli
