// Random documents that the loader would make, with every key of the language; seeds are fixed, so a failure can be
// repeated.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "base/text.h"
#include "random_credentials.h"

namespace weir::policy {

struct RandomKeys {  // which part of the language
  bool tunnels = true;
  bool ask = true;
  bool conditions = true;  // beyond methods and paths
  bool limits = true;      // body_max and rate
};

namespace random_documents {

inline std::vector<NamedGlob> named_globs(Dice& dice, const auto& names) {
  std::vector<NamedGlob> globs;
  for (const auto& name : dice.some(1, names)) globs.push_back({name, dice.pick(kGlobs)});
  return globs;
}

inline TimeWindow window(Dice& dice) {
  TimeWindow window;
  if (dice.one_in(3)) {
    window.kind = TimeWindow::Kind::interval;
    window.begin = 1'700'000'000 + static_cast<std::int64_t>(dice.below(100'000)) * 60;
    window.end = window.begin + 1 + static_cast<std::int64_t>(dice.below(100'000));
    return window;
  }
  window.days = static_cast<std::uint8_t>(dice.one_in(3) ? 0x7f : 1 + dice.below(0x7f));
  window.zone = dice.pick(kZones);
  if (window.zone == "Europe/Berlin") window.zone_rule = "CET-1CEST,M3.5.0,M10.5.0/3";
  if (window.days == 0x7f || dice.one_in(2)) {  // every day and all day is no window
    window.from = static_cast<std::uint16_t>(dice.below(1440));
    window.to = static_cast<std::uint16_t>(dice.below(1441));
    if (window.from == 0 && window.to == 1440) window.to = 60;
  }
  return window;
}

inline void add_conditions(Dice& dice, Rule& rule) {
  if (dice.one_in(4)) rule.query = named_globs(dice, kNames);
  if (dice.one_in(4)) rule.headers = named_globs(dice, kHeaders);
  if (dice.one_in(5)) rule.content_types = dice.some(1, kTypes);
  if (dice.one_in(5)) rule.websocket = dice.one_in(2);
  if (dice.one_in(5)) {
    rule.graphql = GraphqlCondition{dice.some(0, kOperations), {}};
    rule.graphql->fields = dice.some(rule.graphql->operations.empty() ? 1 : 0, kFields);
  } else if (dice.one_in(4)) {
    rule.rpc = RpcCondition{.mcp = dice.one_in(2), .methods = {}, .tools = {}};
    if (rule.rpc->mcp) rule.rpc->tools = dice.some(0, kFields);
    rule.rpc->methods = dice.some(rule.rpc->tools.empty() ? 1 : 0, kRpcMethods);
    // `tools` narrows tools/call; methods that leave it out would make it a key without effect.
    if (!rule.rpc->tools.empty() && !rule.rpc->methods.empty() &&
        std::ranges::find(rule.rpc->methods, "tools/call") == rule.rpc->methods.end())
      rule.rpc->methods.push_back("tools/call");
  }
}

}  // namespace random_documents

inline Rule random_rule(Dice& dice, int number, const RandomKeys& keys = {}) {
  using namespace random_documents;
  constexpr const char* kRuleNames[] = {"read", "no: gists", "true", "42",   "# 1",         " x",
                                        "it's", "ünï",       "a\nb", "0x1f", "\xE2\x80\xA8"};
  Rule rule;
  rule.name = dice.one_in(3) ? "rule " + std::to_string(number) : std::string(dice.pick(kRuleNames));
  const Action actions[] = {Action::allow, Action::log, Action::deny, keys.ask ? Action::ask : Action::allow};
  rule.action = dice.pick(actions);
  rule.tcp = keys.tunnels && dice.one_in(8);
  rule.passthrough = keys.tunnels && !rule.tcp && dice.one_in(8);
  rule.hosts = hosts(dice, rule.tcp);
  if (!rule.tcp && dice.one_in(4))
    for (const auto port : kPorts)
      if (dice.one_in(3)) rule.ports.push_back(port);
  if (!rule.is_tunnel()) {
    if (dice.one_in(2)) rule.methods = dice.some(1, kMethods);
    if (dice.one_in(2)) rule.paths = dice.some(1, kPaths);
    if (!rule.paths.empty()) rule.encoded_slash = dice.one_in(2);
    if (keys.conditions) add_conditions(dice, rule);
  }
  if (keys.conditions && dice.one_in(6))
    for (std::size_t i = 1 + dice.below(2); i > 0; --i)
      if (const auto one = window(dice); std::ranges::find(rule.when, one) == rule.when.end()) rule.when.push_back(one);
  if (keys.conditions && dice.one_in(6)) rule.process = dice.some(1, kPrograms);
  if (rule.action != Action::deny) {
    constexpr std::uint64_t kSizes[] = {1, 1000, 1024, 5U << 20, 3ULL << 40};
    constexpr std::uint32_t kSeconds[] = {1, 60, 3600, 86400};
    if (dice.one_in(2)) rule.addresses = dice.some(0, kNetworks);
    if (keys.limits && !rule.is_tunnel() && dice.one_in(5)) rule.body_max = dice.pick(kSizes);
    if (keys.limits && dice.one_in(5))
      rule.rate = Rate{static_cast<std::uint32_t>(1 + dice.below(1000)), dice.pick(kSeconds)};
  }
  rule.place = {"/p.yaml", number, 1};
  return rule;
}

inline Document random_document(Dice& dice, const RandomKeys& keys = {}) {
  using namespace random_documents;
  Document document;
  document.file = "/p.yaml";
  const Action defaults[] = {Action::deny, Action::deny, Action::log, keys.ask ? Action::ask : Action::deny};
  document.default_action = dice.pick(defaults);
  const auto count = static_cast<int>(dice.below(7));
  for (int i = 0; i < count; ++i) document.rules.push_back(random_rule(dice, i + 1, keys));
  for (const char* name : {"token", "1", "a.b", "kept", "off"})
    if (dice.one_in(3)) document.credentials.push_back(random_credential(dice, name));
  if (dice.one_in(2))
    if (auto capture = random_capture(dice, document)) document.oauth.push_back(std::move(*capture));
  if (dice.one_in(3)) document.leaks = static_cast<Leaks>(dice.below(4));
  const auto maybe_port = [&] { return dice.one_in(2) ? std::optional<std::uint16_t>(8443) : std::nullopt; };
  if (dice.one_in(3)) document.upstream.resolve.push_back({"a.com", "127.0.0.1", maybe_port()});
  if (dice.one_in(3)) document.upstream.resolve.push_back({"::1", "::1", maybe_port()});
  if (dice.one_in(3)) document.upstream.proxy = dice.one_in(2) ? "http://proxy.example:3128" : "http://[::1]:3128";
  if (dice.one_in(3)) document.upstream.ca_file = "/etc/corp root.pem";
  if (dice.one_in(3)) document.limits.connections = static_cast<std::uint32_t>(1 + dice.below(1000));
  if (dice.one_in(3)) document.limits.request_body = dice.below(1U << 30);
  if (dice.one_in(3)) document.limits.response_body = (1 + dice.below(100)) << 20;
  if (dice.one_in(3)) document.limits.requests_per_minute = static_cast<std::uint32_t>(1 + dice.below(1000));
  if (dice.one_in(3) && keys.conditions) document.limits.inspected_body = dice.below(3) * 2048 + dice.below(2);
  if (dice.one_in(3) && keys.ask) document.limits.approval_seconds = static_cast<std::uint32_t>(1 + dice.below(4000));
  return document;
}

// What nobody writes and the loader takes.
inline void add_oddities(Dice& dice, Rule& rule) {
  const std::string kLong(900 + dice.below(120), 'x');
  const std::string odd[] = {"",      " ",    "?",     "- a",   "a: b", "a #b",  "#",          "{a",           "]",
                             "é",     "\u202e", "\ufeff", "\u00a0", "'",    "\"\"",  "\\",         "%2F",          "\U0001F600",
                             "\u2028", "@",    "!x",    "&x",    "|",    ">",     "---",        "...",          "%YAML",
                             "0o17",  "1_0",  ".inf",  "=",     "<<",   "null",  "2026-01-01", "12:30:45",     "~",
                             "\u0085", "\uffff", "a\u00adb", "x ",    ",",    kLong,   "\"" + kLong, "é" + kLong};
  const auto word = [&](bool may_be_empty) {
    std::string text = dice.pick(odd) + (dice.one_in(3) ? dice.pick(odd) : "");
    if (text.size() > 1024) text = kLong;
    return !may_be_empty && trim(text).empty() ? std::string("x") : text;
  };
  if (dice.one_in(2)) rule.name = word(false).substr(0, 200);
  if (valid_utf8_prefix(rule.name) != rule.name.size()) rule.name = "cut";
  for (auto& one : rule.query)
    if (dice.one_in(2)) one.glob = word(true);
  if (!rule.query.empty() && dice.one_in(2)) rule.query.front().name = word(false);
  for (auto& one : rule.headers)
    if (dice.one_in(2)) one.glob = word(true);
  if (rule.graphql && !rule.graphql->fields.empty() && dice.one_in(2)) rule.graphql->fields.front() = word(false);
  if (rule.rpc && !rule.rpc->methods.empty() && dice.one_in(2)) rule.rpc->methods.front() = rule.rpc->mcp && dice.one_in(4) ? "" : word(false);
  if (rule.rpc && !rule.rpc->tools.empty() && dice.one_in(2)) rule.rpc->tools.front() = word(false);
  if (rule.rpc && dice.one_in(8)) rule.rpc = RpcCondition{.mcp = rule.rpc->mcp, .methods = {}, .tools = {}};
  if (rule.graphql && dice.one_in(8)) rule.graphql = GraphqlCondition{};
  if (!rule.paths.empty() && dice.one_in(2)) rule.paths.front() = "/" + word(true);
  if (rule.encoded_slash && dice.one_in(2)) rule.paths.push_back("/a%2Fb");
  if (!rule.process.empty() && dice.one_in(2)) rule.process.front() = "/" + word(true);
  const auto only_once = [](std::vector<std::string>& words) {
    if (!words.empty() && std::ranges::count(words, words.front()) > 1) words.erase(words.begin());
  };
  only_once(rule.paths), only_once(rule.process);
  if (rule.graphql) only_once(rule.graphql->fields);
  if (rule.rpc) only_once(rule.rpc->methods), only_once(rule.rpc->tools);
}

// Of every key, only what goes together: check_document() decides, as it does for the loader.
inline Document loadable_document(Dice& dice) {
  const auto any = random_document(dice);
  Document document = any;
  document.rules.clear();
  document.credentials.clear();
  document.oauth.clear();
  const auto goes = [&] { return check_document(document).has_value(); };
  for (const auto& rule : any.rules) {
    document.rules.push_back(rule);
    auto& added = document.rules.back();
    add_oddities(dice, added);
    if (!goes() && (added = rule, !goes())) document.rules.pop_back();
    // What the loader alone refuses: a pattern with an encoded slash that nothing can match.
    const auto has_slash = [](const std::string& path) { return path.find("%2F") != std::string::npos; };
    if (!document.rules.empty() && !document.rules.back().encoded_slash)
      std::erase_if(document.rules.back().paths, has_slash);
  }
  for (const auto& credential : any.credentials) {
    document.credentials.push_back(credential);
    if (!goes()) document.credentials.pop_back();
  }
  for (const auto& capture : any.oauth) {
    document.oauth.push_back(capture);
    if (!goes()) document.oauth.pop_back();
  }
  return document;
}

// Two documents that mean the same, wherever they were written.
inline Document without_places(Document document) {
  for (auto& rule : document.rules) rule.place = {};
  for (auto& credential : document.credentials) credential.place = {};
  for (auto& capture : document.oauth) capture.place = {};
  return document;
}

// For messages of tests: which part differs.
inline std::string first_difference(const Document& a, const Document& b) {
  if (a.file != b.file) return "file";
  if (a.default_action != b.default_action) return "default";
  if (a.use != b.use) return "use";
  if (a.rules.size() != b.rules.size()) return "number of rules";
  for (std::size_t i = 0; i < a.rules.size(); ++i)
    if (a.rules[i] != b.rules[i]) return "rule " + std::to_string(i + 1);
  if (a.credentials != b.credentials) return "credentials";
  if (a.oauth != b.oauth) return "oauth";
  if (a.leaks != b.leaks) return "leaks";
  if (a.upstream != b.upstream) return "upstream";
  return a.limits != b.limits ? "limits" : "";
}

}  // namespace weir::policy
