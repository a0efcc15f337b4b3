// The program `weir`.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "base/text.h"
#include "cli/completion.h"
#include "cli/verbs.h"

namespace weir::cli {

int complain(const std::string& message) {
  const bool colours = isatty(2) == 1 && std::getenv("NO_COLOR") == nullptr;
  std::fprintf(stderr, "%sweir:%s %s\n", colours ? "\033[31m" : "", colours ? "\033[0m" : "", message.c_str());
  return 2;
}

}  // namespace weir::cli

int main(int argc, char** argv) {
  using namespace weir;
  // A descriptor of ours must never become somebody's standard stream.
  for (int fd = open("/dev/null", O_RDWR); fd >= 0 && fd <= 2;) fd = open("/dev/null", O_RDWR);

  CLI::App app{"weir: the gate between an agent's sandbox and everything else", "weir"};
  app.set_version_flag("--version", "weir " WEIR_VERSION);
  app.require_subcommand(1);
  int status = 0;
  // Completion is asked about words that are not this program's own command line (cli/completion.h).
  const bool completing = argc > 1 && std::strcmp(argv[1], "__complete") == 0;
  const std::vector<std::string> completed(argv + (completing ? 2 : argc), argv + argc);
  // What stands behind "--" is the sandbox's command: not an argument of weir's, whatever it looks like.
  std::vector<std::string> command;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--") != 0) continue;
    command.assign(argv + i + 1, argv + argc);
    argc = i;
    break;
  }
  cli::add_run(app, status, std::move(command));
  cli::add_log(app, status);
  cli::add_approvals(app, status);
  cli::add_policy(app, status);
  cli::add_vault(app, status);
  cli::add_profiles(app, status);
  cli::add_doctor(app, status);
  cli::add_demo(app, status);
  cli::add_completion(app, status);
  if (completing) return cli::answer_completion(app, completed);
  if (argc > 1 && argv[1][0] != '-') {
    std::vector<std::string> names;
    for (const auto* verb : app.get_subcommands([](CLI::App*) { return true; })) names.push_back(verb->get_name());
    if (std::find(names.begin(), names.end(), argv[1]) == names.end()) {
      const std::vector<std::string_view> candidates(names.begin(), names.end());
      const auto near = nearest(argv[1], candidates);
      return cli::complain("there is no command `" + printable(argv[1], 80) + "`" + (near ? "; did you mean `" + std::string(*near) + "`?" : ";") +
                           " `weir --help` lists them");
    }
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help and version are "errors" with status 0 to CLI11; every real one is bad input.
    if (error.get_exit_code() == 0) return app.exit(error);
    std::string verb = "weir";
    for (const CLI::App* at = &app; !at->get_subcommands().empty();) verb += " " + (at = at->get_subcommands().front())->get_name();
    return cli::complain(printable(error.what(), 500) + "; `" + verb + " --help` says what there is");
  } catch (const std::exception& error) {
    return cli::complain(std::string("internal error: ") + error.what());
  }
  return status;
}
