// `weir run [options] -- COMMAND…`
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "base/encoding.h"
#include "base/file.h"
#include "base/paths.h"
#include "base/text.h"
#include "cli/learned_policy.h"
#include "cli/project_policy.h"
#include "cli/run_policy.h"
#include "cli/verbs.h"
#include "keeper/run_session.h"
#include "launch/package_sources.h"
#include "launch/profile.h"
#include "policy/loader.h"
#include "vault/vault.h"

namespace weir::cli {
namespace {

struct RunArguments {
  std::string policy_file;
  std::string profile;
  bool no_profile = false;
  std::vector<std::string> mounts;
  std::vector<std::string> environment;
  std::vector<std::string> logins;
  std::string durability = "group";
  std::string learn;  // where the learned policy goes; empty: nothing is learned
  std::string approvals = "prompt";
  std::vector<std::string> command;
};

Result<launch::Mount> parse_mount(const std::string& text) {
  const auto parts = split(text, ':');
  const auto bad = [&](const std::string& why) {
    return fail("bad_mount", "--mount " + text + ": " + why + "; write ro:/path or rw:/path, with :/path/inside behind it if it differs");
  };
  if (parts.size() < 2 || parts.size() > 3 || (parts[0] != "ro" && parts[0] != "rw")) return bad("it does not begin with ro: or rw:");
  launch::Mount mount;
  mount.mode = parts[0] == "rw" ? launch::Mount::Mode::read_write : launch::Mount::Mode::read_only;
  std::error_code error;
  std::string source(parts[1]);
  if (source == "~" || source.starts_with("~/")) source = home_directory() + source.substr(1);
  mount.source = std::filesystem::absolute(source, error).lexically_normal().string();
  if (!std::filesystem::exists(mount.source, error)) return bad(mount.source + " does not exist");
  mount.target = parts.size() == 3 ? std::string(parts[2]) : mount.source;
  if (mount.target.empty() || mount.target.front() != '/') return bad("the path inside is not absolute");
  return mount;
}

bool is_variable_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && letter(name[0]) && std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

Result<void> apply_environment(const std::vector<std::string>& given, launch::SandboxSpec& spec) {
  for (const auto& item : given) {
    const auto equals = item.find('=');
    const std::string name = item.substr(0, equals);
    if (!is_variable_name(name))
      return fail("bad_env", "--env " + printable(item, 80) + ": `" + printable(name, 80) + "` is not a variable's name; write NAME or NAME=VALUE");
    if (equals != std::string::npos) {
      spec.environment[name] = item.substr(equals + 1);
    } else if (std::getenv(name.c_str()) == nullptr) {
      return fail("bad_env", "--env " + name + ": it is not set here; write " + name + "=VALUE, or set it before");
    } else {
      spec.pass_environment.push_back(name);
    }
  }
  return {};
}

Result<std::optional<launch::Profile>> choose_profile(const RunArguments& arguments) {
  if (arguments.no_profile) return std::optional<launch::Profile>{};
  auto all = launch::profiles();
  if (!all) return std::unexpected(all.error());
  if (arguments.profile.empty()) return launch::profile_for_command(*all, arguments.command.front());
  std::vector<std::string_view> names;
  for (const auto& profile : *all) {
    if (profile.name == arguments.profile) return std::optional(profile);
    names.push_back(profile.name);
  }
  const auto near = nearest(arguments.profile, names);
  return fail("unknown_profile", "there is no profile `" + arguments.profile + "`" + (near ? "; did you mean `" + std::string(*near) + "`?" : "") +
                                     " `weir profiles` lists them");
}

// What is given with --env stays.
void show_logins(std::vector<LoginInSandbox> logins, const std::optional<launch::Profile>& profile, launch::SandboxSpec& spec) {
  for (auto& login : logins) {
    for (auto& mount : login.mounts) spec.mounts.push_back(std::move(mount));
    for (auto& [name, value] : login.environment) spec.environment.emplace(name, value);
    for (const auto& name : login.without) {
      const auto set = spec.environment.find(name);
      if (profile && set != spec.environment.end() && profile->environment.contains(name) && profile->environment.at(name) == set->second)
        spec.environment.erase(set);
    }
  }
}

// While it is learned, everything passes that no rule refuses. Gives where the learned policy will be written: the folder is held
// from before the sandbox starts.
Result<std::optional<NewFile>> start_learning(const RunArguments& arguments, policy::Document& document) {
  if (arguments.learn.empty()) return std::optional<NewFile>{};
  auto file = NewFile::in(arguments.learn, true);
  if (!file) return std::unexpected(file.error());
  document.default_action = policy::Action::log;
  std::fputs("weir: LEARNING: whatever no rule refuses is let through and recorded, wherever it goes\n", stderr);
  return std::optional(std::move(*file));
}

// The session's own outcome stands, whatever becomes of what it teaches.
void write_learned(const NewFile& file, const policy::Document& document, const std::string& session) {
  const auto observations = observations_of(sessions_directory() + "/" + session);
  if (!observations) {
    complain("nothing could be learned: " + observations.error().message);
    return;
  }
  const auto learned = policy::learn(document, *observations);
  const auto written = file.write(learned_text(learned, session));
  if (!written) {
    complain(written.error().message + "; `weir policy learn " + session + "` gives the learned policy");
    return;
  }
  std::fprintf(stderr, "weir: learned %s%s: %s\n", learned_summary(learned).c_str(),
               learned.left_out.empty() ? "" : " (not all that was asked for: the file says what is left out)", printable(*written).c_str());
}

// Ends this process as the command ended, so that a shell sees what it would have seen without weir.
[[noreturn]] void end_like(const launch::ExitStatus& exit) {
  std::fflush(nullptr);
  if (!exit.signaled) _exit(exit.code);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  (void)std::signal(exit.code, SIG_DFL);
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_UNBLOCK, &all, nullptr);
  (void)raise(exit.code);
  _exit(128 + exit.code);
}

Result<launch::ExitStatus> run(const RunArguments& arguments, std::uint64_t ignored_signals) {
  std::error_code error;
  const std::string project = std::filesystem::current_path(error).string();
  if (error) return fail("no_directory", "the current folder cannot be read: " + error.message());
  auto profile = choose_profile(arguments);
  if (!profile) return std::unexpected(profile.error());
  keeper::RunOptions options;
  options.sandbox.ignored_signals = ignored_signals;
  options.sandbox.command = arguments.command;
  options.sandbox.working_directory = project;
  options.sessions_directory = sessions_directory();
  options.durability = arguments.durability == "sync" ? keeper::Durability::sync : keeper::Durability::group;
  options.asking = arguments.approvals == "deny" ? keeper::Asking::deny : arguments.approvals == "wait" ? keeper::Asking::wait : keeper::Asking::prompt;
  options.approvals_directory = state_directory() + "/approvals";
  options.runtime_directory = runtime_directory();
  if (*profile) {
    options.sandbox.mounts = (*profile)->mounts;
    options.sandbox.environment = (*profile)->environment;
    options.sandbox.pass_environment = (*profile)->pass_environment;
  }
  for (const auto& text : arguments.mounts) {
    auto mount = parse_mount(text);
    if (!mount) return std::unexpected(mount.error());
    options.sandbox.mounts.push_back(std::move(*mount));
  }
  if (auto applied = apply_environment(arguments.environment, options.sandbox); !applied) return std::unexpected(applied.error());
  std::vector<std::string> writable{project};
  for (const auto& mount : options.sandbox.mounts)
    if (mount.mode == launch::Mount::Mode::read_write && !mount.hidden && !mount.source.empty()) writable.push_back(mount.source);
  auto choice = choose_policy(arguments.policy_file, *profile, project, writable, arguments.command.front(), !arguments.learn.empty());
  if (!choice) return std::unexpected(choice.error());
  if (auto logged_in = choice->choose_logins(arguments.logins, options.vault); !logged_in) return std::unexpected(logged_in.error());
  std::vector<LoginInSandbox> logins;
  auto chosen = choice->load(options.vault, &logins);
  if (!chosen) return std::unexpected(chosen.error());
  show_logins(std::move(logins), *profile, options.sandbox);
  const policy::Document as_written = chosen->document;
  const auto learning = start_learning(arguments, chosen->document);
  if (!learning) return std::unexpected(learning.error());
  options.policy = std::move(*chosen);
  options.policy_source.file = choice->file_to_watch();
  options.policy_source.load = [choice = *choice, learns = !arguments.learn.empty()](vault::Vault& vault) {
    auto again = choice.load(vault);
    if (again && learns) again->document.default_action = policy::Action::log;
    if (again) choice.accept();  // somebody asked for it to be loaded as it is now
    return again;
  };

  const SandboxPeriod period(writable);
  const std::string own_policy = project + "/weir.yaml";
  if (::access(own_policy.c_str(), F_OK) == 0) {
    launch::Mount fixed;
    fixed.source = fixed.target = own_policy;
    fixed.is_file = true;
    options.sandbox.mounts.push_back(fixed);
  }
  std::string session;
  auto exit = keeper::run_session(std::move(options), session);
  if (exit && *learning) write_learned(**learning, as_written, session);
  return exit;
}

}  // namespace

void add_run(CLI::App& app, int& status, std::vector<std::string> command) {
  auto* verb = app.add_subcommand("run", "Run a command in a sandbox that can reach only what the policy allows: weir run [OPTIONS] -- COMMAND [ARGUMENT]...");
  auto arguments = std::make_shared<RunArguments>();
  verb->add_option("--policy", arguments->policy_file, "Policy file (default: ./weir.yaml, then the user's, then the profile's)")->type_name("FILE");
  verb->add_option("--profile", arguments->profile, "Profile to use instead of the one that the command's name selects")->type_name("NAME");
  verb->add_flag("--no-profile", arguments->no_profile, "Use no profile");
  verb->add_option("--mount", arguments->mounts, "Show a file or folder inside: ro:PATH[:INSIDE] or rw:PATH[:INSIDE]")->type_name("MOUNT")->allow_extra_args(false);
  verb->add_option("--env", arguments->environment, "Pass a variable of this environment (NAME) or set one (NAME=VALUE)")->type_name("VARIABLE")->allow_extra_args(false);
  verb->add_option("--login", arguments->logins, "Take an imported login along (`weir vault import --from NAME`): NAME, or aws:PROFILE")
      ->type_name("NAME")->allow_extra_args(false);
  verb->add_option("--durability", arguments->durability, "When events count as recorded: group (written, synced every 100 ms) or sync")
      ->check(CLI::IsMember({"group", "sync"}));
  verb->add_option("--approvals", arguments->approvals,
                   "Who decides what a rule asks about: prompt (here in the terminal, or `weir approve`), wait (`weir approve` alone), deny (nobody)")
      ->check(CLI::IsMember({"prompt", "wait", "deny"}));
  verb->add_flag("--learn{weir.learned.yaml}", arguments->learn,
                 "Let everything through that no rule refuses, record it, and write the policy that allows it: --learn or --learn=FILE");
  verb->prefix_command();
  const std::uint64_t ignored = launch::ignored_signals();
  verb->callback([verb, arguments, &status, ignored, command] {
    arguments->command = verb->remaining();
    arguments->command.insert(arguments->command.end(), command.begin(), command.end());
    if (arguments->command.empty()) {
      status = complain("there is no command to run; write: weir run -- COMMAND");
      return;
    }
    const auto exit = run(*arguments, ignored);
    if (!exit) {
      status = complain(exit.error().message);
      return;
    }
    end_like(*exit);
  });
}

}  // namespace weir::cli
