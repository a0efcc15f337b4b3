// `weir doctor`: does this machine have what weir needs, and if not, what to do.
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "base/paths.h"
#include "cli/verbs.h"
#include "netns/host_checks.h"

namespace weir::cli {
namespace {

using netns::HostCheck;

std::string mark(HostCheck::Status status, bool colour) {
  const char* text = status == HostCheck::Status::ok        ? "ok     "
                     : status == HostCheck::Status::warning ? "warning"
                                                            : "missing";
  if (!colour) return text;
  const char* code = status == HostCheck::Status::ok ? "32" : status == HostCheck::Status::warning ? "33" : "31";
  return std::string("\x1b[") + code + "m" + text + "\x1b[0m";
}

void print_text(const std::vector<HostCheck>& checks) {
  const bool colour = isatty(STDOUT_FILENO) == 1;
  for (const HostCheck& check : checks) {
    std::printf("%s  %-16s %s\n", mark(check.status, colour).c_str(), check.name.c_str(), check.found.c_str());
    if (!check.remedy.empty()) std::printf("         %s\n", check.remedy.c_str());
  }
  std::puts(netns::all_needed_is_there(checks) ? "\nThis machine can run sandboxes."
                                               : "\nThis machine cannot run sandboxes yet: see what is missing.");
}

void print_json(const std::vector<HostCheck>& checks) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const HostCheck& check : checks)
    list.push_back({{"name", check.name},
                    {"status", netns::status_name(check.status)},
                    {"found", check.found},
                    {"remedy", check.remedy}});
  const nlohmann::ordered_json report{{"ok", netns::all_needed_is_there(checks)}, {"checks", list}};
  std::puts(report.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace).c_str());
}

}  // namespace

void add_doctor(CLI::App& app, int& status) {
  CLI::App* verb = app.add_subcommand("doctor", "Check what this machine has and lacks for running sandboxes");
  auto as_json = std::make_shared<bool>(false);
  verb->add_flag("--json", *as_json, "Print the checks as JSON");
  verb->callback([as_json, &status] {
    const std::vector<HostCheck> checks = netns::check_host(state_directory());
    if (*as_json) {
      print_json(checks);
    } else {
      print_text(checks);
    }
    status = netns::all_needed_is_there(checks) ? 0 : 1;
  });
}

}  // namespace weir::cli
