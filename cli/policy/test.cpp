// `weir policy test`: a table of requests and what the policy should say to them.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

#include "base/file.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/policy/shared.h"
#include "cli/policy/verbs.h"
#include "cli/verbs.h"
#include "policy/cases.h"

namespace weir::cli {

namespace {

std::string why(const policy::Outcome& outcome) {
  std::string text = outcome.rule == "default" && outcome.rule_place.line == 0
                         ? "no rule matches"
                         : fmt::format("rule `{}`, {}", printable(outcome.rule, 200), text_of(outcome.rule_place));
  if (!outcome.operation.empty()) text += fmt::format(", operation {}", printable(outcome.operation, 200));
  if (!outcome.code.empty() && outcome.code != "rule_denies" && outcome.code != "no_rule")
    text += fmt::format("; {}: {}", outcome.code, policy::reason_for(outcome.code));
  return text;
}

Json json_of(const policy::Case& tested, const policy::Outcome& outcome) {
  return {{"name", tested.name},
          {"place", to_json(tested.place)},
          {"as_expected", outcome.as_expected()},
          {"expected", name_of(tested.expect)},
          {"verdict", name_of(outcome.action)},
          {"code", outcome.code},
          {"rule", outcome.rule},
          {"operation", outcome.operation},
          {"credentials", outcome.credentials},
          {"differences", outcome.differences}};
}

int test(const std::string& file, const std::string& cases_file, bool as_json) {
  int status = 0;
  const auto policy = load_policy(file, status);
  if (!policy) return status;
  const auto text = read_file(cases_file);
  if (!text) return complain(text.error().message);
  const auto cases = policy::load_cases(*text, cases_file);
  if (!cases) {
    std::fputs((cases.error().message + "\n").c_str(), stderr);
    return complain(printable(cases_file) + " has errors");
  }
  const std::int64_t now = wall_clock_us() / 1'000'000;
  Json list = Json::array();
  std::string lines;
  std::size_t differing = 0;
  for (const auto& tested : *cases) {
    const auto outcome = policy::run_case(*policy, tested, now);
    if (!outcome) return complain(text_of(tested.place) + ": " + outcome.error().message);
    if (as_json) list.push_back(json_of(tested, *outcome));
    if (outcome->as_expected()) continue;
    ++differing;
    lines += fmt::format("{}: {}: {} ({})\n", text_of(tested.place), printable(tested.name, 200),
                         fmt::join(outcome->differences, "; "), why(*outcome));
  }
  if (as_json)
    print(Json{{"file", file}, {"cases_file", cases_file}, {"cases", cases->size()}, {"differing", differing}, {"outcomes", list}});
  else if (differing == 0)
    print(fmt::format("{}: {} as expected\n", printable(cases_file), cases->size() == 1 ? "the case is" : fmt::format("all {} cases are", cases->size())));
  else
    print(lines + fmt::format("{} of {} not as expected\n", differing, count_of(cases->size(), "case")));
  return differing == 0 ? 0 : 1;
}

}  // namespace

void add_policy_test(CLI::App& policy, int& status) {
  struct Options {
    std::string file, cases;
    bool json = false;
  };
  const auto options = std::make_shared<Options>();  // shared with the callback, which outlives this function
  auto* verb = policy.add_subcommand("test", "Requests and the verdicts they should get (exit 1 when one differs)");
  verb->add_option("FILE", options->file, "the policy file")->required();
  verb->add_option("CASES", options->cases, "a YAML file of cases; examples/ci-agent.cases.yaml shows all there is")->required();
  add_json_flag(verb, options->json);
  verb->callback([options, &status] { status = test(options->file, options->cases, options->json); });
}

}  // namespace weir::cli
