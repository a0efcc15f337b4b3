// `weir policy`: check a file, explain a verdict, list and show presets.
#include "policy/policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/text.h"
#include "cli/verbs.h"
#include "policy/lint.h"
#include "policy/loader.h"
#include "policy/target.h"

namespace weir::cli {

namespace {

using Json = nlohmann::ordered_json;
using policy::Diagnostic;

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

// Names and messages may hold what a file says; JSON must stay valid UTF-8.
void print(const Json& json) { print(json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"); }

Json to_json(const policy::Place& place) { return {{"file", place.file}, {"line", place.line}, {"column", place.column}}; }

Json to_json(const Diagnostic& diagnostic) {
  Json json = {{"severity", diagnostic.severity == Diagnostic::Severity::error ? "error" : "warning"}};
  json.update(to_json(diagnostic.place));
  json["message"] = diagnostic.message;
  json["hint"] = diagnostic.hint;
  json["source_line"] = diagnostic.source_line;
  return json;
}

std::string count_of(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

int check(const std::string& file, bool as_json) {
  const auto text = read_file(file);
  if (!text) return complain(text.error().message);
  auto loaded = policy::load_text(*text, file);
  policy::add_warnings(loaded, *text);
  const auto errors =
      static_cast<std::size_t>(std::ranges::count(loaded.diagnostics, Diagnostic::Severity::error, &Diagnostic::severity));
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

// Loads and compiles, or says what is wrong and sets the exit status.
std::optional<policy::Policy> load_policy(const std::string& file, int& status) {
  const auto text = read_file(file);
  if (!text) {
    status = complain(text.error().message);
    return std::nullopt;
  }
  auto loaded = policy::load_text(*text, file);
  if (!loaded.ok()) {
    for (const auto& diagnostic : loaded.diagnostics) std::fputs((policy::format(diagnostic) + "\n").c_str(), stderr);
    status = complain(printable(file) + " has errors");
    return std::nullopt;
  }
  auto compiled = policy::Policy::compile(std::move(loaded.document));
  if (!compiled) {
    status = complain(compiled.error().message);
    return std::nullopt;
  }
  return std::move(*compiled);
}

std::string text_of(const policy::Place& place) {
  return fmt::format("{}:{}:{}", printable(place.file), place.line, place.column);
}

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

Json to_json(const Explained& explained, const policy::Target& target, const std::string& method) {
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
    print(to_json(explained, *target, method));
  else
    print_explained(explained, *target, method);
  return status_of(explained.decision.action);
}

// The first sentence of the comment at a preset's head.
std::string summary_of(std::string_view text) {
  if (!text.starts_with("# ")) return {};
  return std::string(text.substr(2, text.find('\n') - 2));
}

int list_presets() {
  for (const auto& preset : policy::presets()) print(fmt::format("{:<14} {}\n", preset.name, summary_of(preset.text)));
  return 0;
}

int show(const std::string& what) {
  const auto presets = policy::presets();
  const auto preset = std::ranges::find(presets, std::string_view(what), &EmbeddedFile::name);
  if (preset != presets.end()) {
    print(std::string(preset->text));
    return 0;
  }
  const auto text = read_file(what);
  if (!text) return complain(text.error().message + " (and there is no preset of that name; see `weir policy presets`)");
  const auto loaded = policy::load_text(*text, what);
  if (!loaded.ok()) {
    for (const auto& diagnostic : loaded.diagnostics) std::fputs((policy::format(diagnostic) + "\n").c_str(), stderr);
    return 1;
  }
  print(*text);
  for (const auto& name : loaded.document.use) {
    const auto used = std::ranges::find(presets, std::string_view(name), &EmbeddedFile::name);
    print(fmt::format("\n# --- what `use: [{}]` brings in ---\n{}", name, used->text));
  }
  return 0;
}

}  // namespace

void add_policy(CLI::App& app, int& status) {
  auto* policy = app.add_subcommand("policy", "Check and explain policy files");
  policy->require_subcommand(1);
  struct Options {
    std::string file, method, url;
    bool json = false;
  };
  const auto options = std::make_shared<Options>();  // shared by the callbacks, which outlive this function

  auto* check_verb = policy->add_subcommand("check", "Errors and warnings in a policy file (exit 1 on errors)");
  check_verb->add_option("FILE", options->file, "the policy file")->required();
  check_verb->add_flag("--json", options->json, "as JSON");
  check_verb->callback([options, &status] { status = check(options->file, options->json); });

  auto* explain_verb =
      policy->add_subcommand("explain", "What would be decided, and why (exit 0 allow or log, 3 deny, 4 ask)");
  explain_verb->add_option("FILE", options->file, "the policy file")->required();
  explain_verb->add_option("METHOD", options->method, "for instance GET")->required();
  explain_verb->add_option("URL", options->url, "for instance https://example.com/path")->required();
  explain_verb->add_flag("--json", options->json, "as JSON");
  explain_verb->callback(
      [options, &status] { status = explain(options->file, options->method, options->url, options->json); });

  policy->add_subcommand("presets", "The presets that come with weir")->callback([&status] { status = list_presets(); });

  auto* show_verb = policy->add_subcommand("show", "A preset, or a policy file with the presets that it uses");
  show_verb->add_option("FILE|PRESET", options->file, "a preset's name or a policy file")->required();
  show_verb->callback([options, &status] { status = show(options->file); });
}

}  // namespace weir::cli
