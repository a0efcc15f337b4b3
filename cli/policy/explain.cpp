// `weir policy explain`: what would be decided about one request, and why.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/text.h"
#include "cli/policy/shared.h"
#include "cli/policy/verbs.h"
#include "cli/verbs.h"
#include "policy/target.h"

namespace weir::cli {

namespace {

std::string_view reason_for(const policy::Decision& decision) {
  if (decision.code == "no_rule") return "no rule allows it";
  if (decision.code == "path_ambiguous")
    return "a rule with paths is in play, and two servers could read this path differently";
  if (decision.code == "encoded_slash") return "a rule with paths is in play, and the path has an encoded slash (%2F)";
  if (decision.rule == nullptr) return "no rule matches, and the default lets it through";
  return "";
}

int status_of(policy::Action action) {
  if (action == policy::Action::deny) return 3;
  return action == policy::Action::ask ? 4 : 0;
}

struct Explained {
  policy::Decision decision;
  std::vector<policy::NearMiss> misses;  // rules about this host that did not match
  std::vector<std::string> credentials;
  std::vector<std::string> addresses;
};

Explained explain_request(const policy::Policy& policy, const policy::Request& request) {
  Explained result{.decision = policy.decide(request),
                   .misses = {},
                   .credentials = {},
                   .addresses = policy.named_addresses(request.host, request.port)};
  for (auto& miss : policy::explain(policy, request))
    if (!miss.missed.empty() && miss.rule != result.decision.rule) result.misses.push_back(std::move(miss));
  // Rules about other hosts are far misses; they are told only when there is nothing nearer.
  const auto far = [](const policy::NearMiss& miss) { return miss.missed.starts_with("host "); };
  if (!std::ranges::all_of(result.misses, far) || result.decision.rule != nullptr) std::erase_if(result.misses, far);
  std::vector<std::uint32_t> bound;
  policy.credentials_for(request.scheme, request.host, request.port, bound);
  for (const auto index : bound) result.credentials.push_back(policy.document().credentials[index].name);
  return result;
}

Json json_of(const Explained& explained, const policy::Target& target, const std::string& method) {
  const auto& decision = explained.decision;
  Json misses = Json::array();
  for (const auto& miss : explained.misses)
    misses.push_back({{"rule", miss.rule->name}, {"place", to_json(miss.rule->place)}, {"missed", miss.missed}});
  return {{"verdict", name_of(decision.action)},
          {"code", decision.code},
          {"rule", decision.rule != nullptr ? Json{{"name", decision.rule->name}, {"place", to_json(decision.rule->place)}}
                                            : Json(nullptr)},
          {"request",
           {{"method", method},
            {"scheme", target.scheme},
            {"host", target.host},
            {"port", target.port},
            {"path", target.path.wire}}},
          {"credentials", explained.credentials},
          {"addresses", explained.addresses},
          {"near_misses", misses}};
}

void print_explained(const Explained& explained, const policy::Target& target, const std::string& method) {
  const auto& decision = explained.decision;
  std::string out = fmt::format("{}  {} {}://{}:{}{}\n", name_of(decision.action), printable(method, 60), target.scheme,
                                target.host.find(':') != std::string::npos ? "[" + target.host + "]" : target.host,
                                target.port, target.path.wire);
  if (const auto reason = reason_for(decision); !reason.empty()) out += fmt::format("  {}\n", reason);
  if (decision.rule != nullptr)
    out += fmt::format("  rule: {} ({})\n", printable(decision.rule->name), text_of(decision.rule->place));
  if (decision.action != policy::Action::deny)
    for (const auto& name : explained.credentials) out += fmt::format("  credential: {}\n", name);
  if (!explained.misses.empty()) out += "  rules that did not match:\n";
  constexpr std::size_t kShown = 20;
  for (std::size_t i = 0; i < std::min(explained.misses.size(), kShown); ++i)
    out += fmt::format("    {} ({}): {}\n", printable(explained.misses[i].rule->name),
                       text_of(explained.misses[i].rule->place), printable(explained.misses[i].missed));
  if (explained.misses.size() > kShown) out += fmt::format("    and {} more\n", explained.misses.size() - kShown);
  print(out);
}

int explain(const std::string& file, const std::string& method, const std::string& url, bool as_json) {
  const auto target = policy::parse_target(url);
  if (!target) return complain(target.error().message);
  int status = 0;
  const auto policy = load_policy(file, status);
  if (!policy) return status;
  const auto explained = explain_request(*policy, target->request(method));
  if (as_json)
    print(json_of(explained, *target, method));
  else
    print_explained(explained, *target, method);
  return status_of(explained.decision.action);
}

}  // namespace

void add_policy_explain(CLI::App& policy, int& status) {
  struct Options {
    std::string file, method, url;
    bool json = false;
  };
  const auto options = std::make_shared<Options>();  // shared with the callback, which outlives this function
  auto* verb = policy.add_subcommand("explain", "What would be decided, and why (exit 0 allow or log, 3 deny, 4 ask)");
  verb->add_option("FILE", options->file, "the policy file")->required();
  verb->add_option("METHOD", options->method, "for instance GET")->required();
  verb->add_option("URL", options->url, "for instance https://example.com/path")->required();
  add_json_flag(verb, options->json);
  verb->callback([options, &status] { status = explain(options->file, options->method, options->url, options->json); });
}

}  // namespace weir::cli
