#include "policy/cases.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "base/time.h"
#include "policy/loading/section.h"
#include "policy/loading/values.h"

namespace weir::policy {

namespace {

constexpr std::size_t kMaxFile = 4U << 20;
constexpr std::array<std::string_view, 4> kVerdicts = {"allow", "log", "ask", "deny"};

class CaseReader {
 public:
  CaseReader(Diagnostics& diagnostics, std::vector<Case>& cases) : diagnostics_(diagnostics), cases_(cases) {}

  void read_file(const YamlNode& root) {
    const SectionKey keys[] = {
        {"version", [&](const auto&, const auto& value) { read_version(value); }, true},
        {"cases", [&](const auto&, const auto& value) { read_cases(value); }, true},
    };
    read_section(diagnostics_, root, "a file of cases", keys, {}, "begin with `version: 1`");
  }

 private:
  void read_version(const YamlNode& node) {
    const auto word = read_text(diagnostics_, node, "version");
    if (!word || (word->text == "1" && !node.quoted)) return;
    diagnostics_.error(word->place, fmt::format("version `{}` is not one that this weir can read", printable(word->text, 40)),
                       "write `version: 1`");
  }

  void read_cases(const YamlNode& node) {
    if (node.kind != YamlNode::Kind::sequence || node.items.empty()) {
      diagnostics_.error(node.place, "`cases` must be a list of cases",
                         "for instance: - {url: \"https://example.com/\", expect: deny}");
      return;
    }
    for (const YamlNode* item : node.items) read_case(*item);
  }

  void read_case(const YamlNode& node) {
    Case read;
    read.place = node.place;
    const auto text_into = [&](auto& to, std::string_view key) {
      return [&, key](const YamlNode&, const YamlNode& value) {
        if (auto word = read_text(diagnostics_, value, key)) to = std::move(word->text);
      };
    };
    const SectionKey keys[] = {
        {"name", text_into(read.name, "name")},
        {"method", text_into(read.request.method, "method")},
        {"url", text_into(read.request.url, "url"), true},
        {"headers", [&](const auto&, const auto& value) { read_headers(value, read.request.headers); }},
        {"body", [&](const auto&, const auto& value) { read_body(value, read.request.body); }},
        {"body_size", [&](const auto&, const auto& value) { read_body_size(value, read.request.body_size); }},
        {"websocket",
         [&](const auto&, const auto& value) {
           read.request.websocket = read_flag(diagnostics_, value, "websocket").value_or(false);
         }},
        {"process", [&](const auto&, const auto& value) { read_process(value, read.request.process); }},
        {"at", [&](const auto&, const auto& value) { read_time(value, read.request.at); }},
        {"expect", [&](const auto&, const auto& value) { read_verdict(value, read.expect); }, true},
        {"rule", text_into(read.rule, "rule")},
        {"code", text_into(read.code, "code")},
        {"credential", text_into(read.credential, "credential")},
    };
    const bool sound_before = !diagnostics_.has_errors();
    read_section(diagnostics_, node, "a case", keys);
    if (read.code && read.expect != Action::deny)
      diagnostics_.error(node.place, "only a denial has a `code`", "leave it out, or expect: deny");
    // What no client could send is wrong in the file, not in the policy. The limits are the policy's, and come later.
    if (sound_before && !diagnostics_.has_errors())
      if (const auto made = DescribedRequest::make(read.request, Limits{}, 0); !made)
        diagnostics_.error(node.place, made.error().message);
    if (read.name.empty())
      read.name = (read.request.method.empty() ? "" : read.request.method + " ") + read.request.url;
    cases_.push_back(std::move(read));
  }

  void read_headers(const YamlNode& node, std::vector<std::pair<std::string, std::string>>& headers) {
    if (node.kind != YamlNode::Kind::map) {
      diagnostics_.error(node.place, "`headers` must be a map of names and values",
                         "for instance: headers: {content-type: application/json}");
      return;
    }
    for (const auto& [name, value] : node.entries) {
      if (value->kind == YamlNode::Kind::sequence)
        for (const YamlNode* item : value->items) read_header(*name, *item, headers);
      else
        read_header(*name, *value, headers);
    }
  }

  void read_header(const YamlNode& name, const YamlNode& value, std::vector<std::pair<std::string, std::string>>& headers) {
    if (value.kind != YamlNode::Kind::scalar && value.kind != YamlNode::Kind::null)
      diagnostics_.error(value.place, fmt::format("the header `{}` must be a value, or a list of values", printable(name.text, 80)));
    else
      headers.emplace_back(name.text, value.text);
  }

  void read_body(const YamlNode& node, std::optional<std::string>& body) {
    if (node.kind != YamlNode::Kind::scalar)
      diagnostics_.error(node.place, "`body` must be text", "in quotes, or as a block after `|`");
    else
      body = node.text;
  }

  void read_body_size(const YamlNode& node, std::optional<std::uint64_t>& size) {
    const auto word = read_text(diagnostics_, node, "body_size");
    if (!word) return;
    if (const auto read = read_size(word->text); read)
      size = *read;
    else
      diagnostics_.error(word->place, read.error());
  }

  void read_process(const YamlNode& node, std::vector<std::string>& process) {
    if (node.kind == YamlNode::Kind::scalar) {
      if (auto word = read_text(diagnostics_, node, "process")) process.push_back(std::move(word->text));
      return;
    }
    for (auto& word : read_list(diagnostics_, node, "process", "for instance: process: /usr/bin/git"))
      process.push_back(std::move(word.text));
  }

  void read_time(const YamlNode& node, std::optional<std::int64_t>& at) {
    const auto word = read_text(diagnostics_, node, "at");
    if (!word) return;
    at = parse_timestamp(word->text);
    if (!at)
      diagnostics_.error(word->place, fmt::format("`{}` is not a time", printable(word->text, 80)),
                         "write it as in 2026-03-02T10:00Z or 2026-03-02T11:00+01:00");
  }

  void read_verdict(const YamlNode& node, Action& expect) {
    const auto word = read_text(diagnostics_, node, "expect");
    if (!word) return;
    const auto found = std::ranges::find(kVerdicts, word->text);
    if (found == kVerdicts.end())
      diagnostics_.error(word->place, fmt::format("`{}` is not a verdict", printable(word->text, 80)),
                         suggest(word->text, kVerdicts));
    else
      expect = static_cast<Action>(found - kVerdicts.begin());
  }

  Diagnostics& diagnostics_;
  std::vector<Case>& cases_;
};

}  // namespace

Result<std::vector<Case>> load_cases(std::string_view text, const std::string& file) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::vector<Case> cases;
  Diagnostics diagnostics(file, text);
  if (text.size() > kMaxFile) {
    diagnostics.error(diagnostics.whole_file(), fmt::format("the file is larger than {} MiB", kMaxFile >> 20));
  } else {
    const auto tree = parse_yaml(text, diagnostics);
    if (tree->root != nullptr && tree->root->kind != YamlNode::Kind::null)
      CaseReader(diagnostics, cases).read_file(*tree->root);
    else if (!diagnostics.has_errors())
      diagnostics.error(diagnostics.start(), "the file is empty", "begin with `version: 1`");
  }
  if (!diagnostics.has_errors()) return cases;
  std::string all;
  for (const auto& diagnostic : diagnostics.take()) all += (all.empty() ? "" : "\n") + format(diagnostic);
  return fail("cases_invalid", all);
}

std::string to_text(const Operation& operation) {
  return operation.name.empty() ? operation.kind : operation.kind + " " + operation.name;
}

Result<Outcome> run_case(const Policy& policy, const Case& tested, std::int64_t now) {
  const auto request = DescribedRequest::make(tested.request, policy.document().limits, now);
  if (!request) return std::unexpected(request.error());
  const Decision decision = request->decide(policy);
  Outcome outcome{.action = decision.action,
                  .code = std::string(decision.code),
                  .rule = decision.rule != nullptr ? decision.rule->name : "default",
                  .rule_place = decision.rule != nullptr ? decision.rule->place : Place{},
                  .operation = decision.operation != nullptr ? to_text(*decision.operation) : std::string(),
                  .credentials = {},
                  .differences = {}};
  if (decision.action != Action::deny && !request->is_connection()) {
    std::vector<std::uint32_t> bound;
    policy.credentials_for(request->target().scheme, request->target().host, request->target().port, bound);
    for (const auto index : bound) outcome.credentials.push_back(policy.document().credentials[index].name);
  }
  const auto expect = [&](std::string_view what, std::string_view expected, std::string_view got) {
    if (expected != got)
      outcome.differences.push_back(fmt::format("expected {}{}, got {}", what, printable(expected, 200),
                                                got.empty() ? "none" : printable(got, 200)));
  };
  expect("", name_of(tested.expect), name_of(outcome.action));
  if (tested.code && outcome.action == Action::deny) expect("code ", *tested.code, outcome.code);
  if (tested.rule) expect("rule ", *tested.rule, outcome.rule);
  if (tested.credential) {
    const bool is_there = std::ranges::find(outcome.credentials, *tested.credential) != outcome.credentials.end();
    if (!is_there && !(*tested.credential == "none" && outcome.credentials.empty()))
      expect("credential ", *tested.credential, fmt::format("{}", fmt::join(outcome.credentials, ", ")));
  }
  return outcome;
}

}  // namespace weir::policy
