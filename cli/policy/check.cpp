// `weir policy check`: errors and warnings in a policy file.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/file.h"
#include "base/text.h"
#include "cli/policy/shared.h"
#include "cli/policy/verbs.h"
#include "cli/verbs.h"
#include "launch/package_sources.h"
#include "policy/lint.h"

namespace weir::cli {

namespace {

int check(const std::string& file, bool as_json) {
  const auto text = read_file(file);
  if (!text) return complain(text.error().message);
  auto loaded = policy::load_text(*text, file, launch::PackagePresets{});
  policy::add_warnings(loaded, *text);
  const auto errors = static_cast<std::size_t>(
      std::ranges::count(loaded.diagnostics, policy::Diagnostic::Severity::error, &policy::Diagnostic::severity));
  const auto warnings = loaded.diagnostics.size() - errors;
  if (as_json) {
    Json list = Json::array();
    for (const auto& diagnostic : loaded.diagnostics) list.push_back(to_json(diagnostic));
    print(Json{{"file", file}, {"ok", errors == 0}, {"errors", errors}, {"warnings", warnings}, {"diagnostics", list}});
    return errors == 0 ? 0 : 1;
  }
  for (const auto& diagnostic : loaded.diagnostics) print(policy::format(diagnostic) + "\n\n");
  if (errors > 0)
    print(fmt::format("{}, {}\n", count_of(errors, "error"), count_of(warnings, "warning")));
  else
    print(fmt::format("{}: good ({}, {}{})\n", printable(file), count_of(loaded.document.rules.size(), "rule"),
                      count_of(loaded.document.credentials.size(), "credential"),
                      warnings > 0 ? ", " + count_of(warnings, "warning") : ""));
  return errors == 0 ? 0 : 1;
}

}  // namespace

void add_policy_check(CLI::App& policy, int& status) {
  struct Options {
    std::string file;
    bool json = false;
  };
  const auto options = std::make_shared<Options>();  // shared with the callback, which outlives this function
  auto* verb = policy.add_subcommand("check", "Errors and warnings in a policy file (exit 1 on errors)");
  verb->add_option("FILE", options->file, "the policy file")->required();
  add_json_flag(verb, options->json);
  verb->callback([options, &status] { status = check(options->file, options->json); });
}

}  // namespace weir::cli
