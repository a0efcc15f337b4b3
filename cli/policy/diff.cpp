// `weir policy diff`: what one policy lets through that another does not.
#include <fmt/format.h>

#include "base/text.h"
#include "cli/policy/shared.h"
#include "cli/policy/verbs.h"
#include "cli/verbs.h"
#include "policy/difference.h"

namespace weir::cli {

namespace {

using policy::Change;

std::string_view name_of(Change::Kind kind) {
  return kind == Change::Kind::opened ? "opened" : kind == Change::Kind::closed ? "closed" : "changed";
}

std::string_view name_of(Change::Subject subject) {
  switch (subject) {
    case Change::Subject::requests:
      return "requests";
    case Change::Subject::addresses:
      return "addresses";
    case Change::Subject::credential:
      return "credential";
    case Change::Subject::oauth:
      return "oauth";
    case Change::Subject::leaks:
      return "leaks";
    case Change::Subject::rates:
      return "rates";
    case Change::Subject::vault:
      return "vault";
    case Change::Subject::upstream:
      return "upstream";
    case Change::Subject::limits:
      return "limits";
  }
  return "";
}

Json to_json(const Change& change) {
  Json json = {{"change", name_of(change.kind)}, {"subject", name_of(change.subject)}};
  if (!change.name.empty()) json["name"] = change.name;
  json["from"] = change.from;
  json["to"] = change.to;
  json["text"] = policy::describe(change);
  const auto add = [&](const char* key, const std::vector<std::string>& words) {
    if (!words.empty()) json[key] = words;
  };
  add("schemes", change.schemes);
  add("hosts", change.hosts);
  add("ports", change.ports);
  add("methods", change.methods);
  add("paths", change.paths);
  add("paths_but", change.paths_but);
  add("paths_like", change.paths_like);
  add("paths_but_like", change.paths_but_like);
  for (const auto& [name, words] : change.conditions) json["conditions"][name] = words;
  if (change.subject != Change::Subject::requests) return json;
  json["rule_a"] = change.rule_a.empty() ? Json(nullptr) : Json(change.rule_a);
  json["rule_b"] = change.rule_b.empty() ? Json(nullptr) : Json(change.rule_b);
  json["code_a"] = change.why_a;
  json["code_b"] = change.why_b;
  if (change.example) json["example"] = {{"method", change.example->method}, {"url", change.example->url()}};
  return json;
}

int run(const std::string& file_a, const std::string& file_b, bool as_json) {
  int status = 0;
  const auto a = load_policy(file_a, status);
  const auto b = load_policy(file_b, status);
  if (!a || !b) return status;
  const auto difference = policy::compare(*a, *b);
  if (as_json) {
    Json list = Json::array();
    for (const auto& change : difference.changes) list.push_back(to_json(change));
    print(list);
  } else {
    for (const auto& change : difference.changes) print(policy::describe(change) + "\n");
    if (difference.changes.empty() && difference.bounds.empty()) print(std::string("they mean the same\n"));
  }
  for (const auto& bound : difference.bounds)
    std::fputs(fmt::format("weir: not everything was compared: {}\n", printable(bound)).c_str(), stderr);
  // What has not been looked through is not known to be the same.
  return difference.changes.empty() && difference.bounds.empty() ? 0 : 1;
}

}  // namespace

void add_policy_diff(CLI::App& policy, int& status) {
  struct Options {
    std::string a, b;
    bool json = false;
  };
  const auto options = std::make_shared<Options>();  // shared with the callback, which outlives this function
  auto* verb =
      policy.add_subcommand("diff", "What B lets through that A does not, and the reverse (exit 0: they mean the same)");
  verb->add_option("A", options->a, "a policy file")->required();
  verb->add_option("B", options->b, "another")->required();
  add_json_flag(verb, options->json);
  verb->callback([options, &status] { status = run(options->a, options->b, options->json); });
}

}  // namespace weir::cli
