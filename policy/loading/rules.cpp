#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "policy/loading/sections.h"
#include "policy/loading/values.h"
#include "policy/matching/path_glob.h"

namespace weir::policy {

namespace {

constexpr std::array<std::string_view, 13> kNotYet = {"tcp",     "query", "headers", "body_max",  "content_types",
                                                      "rate",    "when",  "tls",     "websocket", "graphql",
                                                      "jsonrpc", "mcp",   "process"};
constexpr std::array<std::string_view, 15> kCommonMethods = {"GET",   "HEAD",     "POST",      "PUT",     "DELETE",
                                                             "PATCH", "OPTIONS",  "TRACE",     "CONNECT", "QUERY",
                                                             "COPY",  "PROPFIND", "PROPPATCH", "REPORT",  "MKCOL"};

void read_ports(Diagnostics& diagnostics, const YamlNode& node, Rule& rule) {
  for (const auto& word : read_list(diagnostics, node, "ports", "for instance: ports: [443, 8443]")) {
    if (const auto port = read_port(word.text))
      rule.ports.push_back(*port);
    else
      diagnostics.error(word.place, port.error());
  }
}

void read_methods(Diagnostics& diagnostics, const YamlNode& node, Rule& rule) {
  for (const auto& word :
       read_list(diagnostics, node, "methods", "for instance: methods: [GET, HEAD]; leave it out for any method")) {
    if (const auto problem = check_method(word.text)) {
      diagnostics.error(word.place, *problem);
      continue;
    }
    const auto near = nearest(word.text, kCommonMethods);
    if (near && *near != word.text)
      diagnostics.warning(word.place, fmt::format("`{}` is an unusual method", word.text),
                          fmt::format("did you mean `{}`?", *near));
    rule.methods.push_back(word.text);
  }
}

struct WrittenPaths {
  bool given = false;
  std::optional<Place> with_slash;  // of the first pattern that holds %2F
};

void read_paths(Diagnostics& diagnostics, const YamlNode& node, Rule& rule, WrittenPaths& written) {
  written.given = true;
  for (const auto& word :
       read_list(diagnostics, node, "paths", "for instance: paths: [\"/v1/**\"]; leave it out for any path")) {
    if (const auto glob = PathGlob::compile(word.text); !glob) {
      diagnostics.error(word.place, glob.error().message,
                        "`*` is within one segment, `**` is any segments: /repos/*/issues, /v1/**");
      continue;
    }
    if (!written.with_slash && word.text.find("%2F") != std::string::npos) written.with_slash = word.place;
    rule.paths.push_back(word.text);
  }
}

void read_addresses(Diagnostics& diagnostics, const YamlNode& node, Rule& rule) {
  for (const auto& word : read_list(diagnostics, node, "addresses", "for instance: addresses: [10.0.0.0/8]")) {
    if (const auto problem = check_network(word.text))
      diagnostics.error(word.place, *problem);
    else
      rule.addresses.push_back(word.text);
  }
}

void read_encoded_slash(Diagnostics& diagnostics, const YamlNode& node, Rule& rule) {
  const auto word = read_text(diagnostics, node, "encoded_slash");
  if (!word) return;
  if (word->text != "allow" && word->text != "deny")
    diagnostics.error(word->place, fmt::format("`{}` is not a value of `encoded_slash`", printable(word->text, 80)),
                      "allow or deny");
  rule.encoded_slash = word->text == "allow";
}

void read_rule(Diagnostics& diagnostics, const YamlNode& node, Rule& rule) {
  rule.place = node.place;
  WrittenPaths paths;
  std::optional<Place> addresses, slash;
  const SectionKey keys[] = {
      {"name",
       [&](const auto&, const auto& value) {
         if (auto word = read_text(diagnostics, value, "name")) {
           if (word->text.size() > 200) diagnostics.error(word->place, "`name` is longer than 200 octets");
           rule.name = std::move(word->text);
         }
       }},
      {"hosts", [&](const auto&, const auto& value) { rule.hosts = read_hosts(diagnostics, value); }, true},
      {"ports", [&](const auto&, const auto& value) { read_ports(diagnostics, value, rule); }},
      {"methods", [&](const auto&, const auto& value) { read_methods(diagnostics, value, rule); }},
      {"paths", [&](const auto&, const auto& value) { read_paths(diagnostics, value, rule, paths); }},
      {"encoded_slash",
       [&](const auto& key, const auto& value) { slash = key.place, read_encoded_slash(diagnostics, value, rule); }},
      {"addresses",
       [&](const auto& key, const auto& value) { addresses = key.place, read_addresses(diagnostics, value, rule); }},
      {"action",
       [&](const auto&, const auto& value) {
         rule.action = read_action(diagnostics, value, "action", true).value_or(Action::deny);
       }},
  };
  read_section(diagnostics, node, "a rule", keys, kNotYet, "for instance: - hosts: [example.com]");
  if (slash && !paths.given)
    diagnostics.error(*slash, "`encoded_slash` has no effect without `paths`", "remove it, or add `paths`");
  if (addresses && rule.action == Action::deny)
    diagnostics.error(*addresses,
                      "`addresses` has no effect in a rule that denies: it names private addresses that may be reached",
                      "remove it");
  if (paths.with_slash && !rule.encoded_slash)
    diagnostics.error(*paths.with_slash, "a path pattern with %2F can never match here",
                      "add `encoded_slash: allow` to the rule");
}

}  // namespace

std::vector<HostPattern> read_hosts(Diagnostics& diagnostics, const YamlNode& node) {
  std::vector<HostPattern> hosts;
  for (const auto& word : read_list(diagnostics, node, "hosts", "for instance: hosts: [example.com, \"*.example.com\"]")) {
    if (auto pattern = read_host_pattern(word.text))
      hosts.push_back(std::move(*pattern));
    else
      diagnostics.error(word.place, pattern.error());
  }
  return hosts;
}

std::optional<Action> read_action(Diagnostics& diagnostics, const YamlNode& node, std::string_view what, bool may_allow) {
  const auto word = read_text(diagnostics, node, what);
  if (!word) return std::nullopt;
  if (word->text == "allow" && may_allow) return Action::allow;
  if (word->text == "log") return Action::log;
  if (word->text == "deny") return Action::deny;
  if (word->text == "ask") {
    diagnostics.error(word->place, fmt::format("`{}: ask` is not available yet in this version", what),
                      may_allow ? "use allow, deny or log" : "use deny or log");
    return std::nullopt;
  }
  constexpr std::array<std::string_view, 3> known = {"deny", "log", "allow"};
  const auto choices = std::span<const std::string_view>(known).first(may_allow ? 3 : 2);
  const bool is_allow = word->text == "allow";
  diagnostics.error(word->place, fmt::format("`{}` is not a value of `{}`", printable(word->text, 80), what),
                    is_allow ? "everything that is not allowed by a rule is denied; `log` lets it through and records it"
                             : suggest(word->text, choices));
  return std::nullopt;
}

void read_rules(Diagnostics& diagnostics, const YamlNode& node, std::vector<Rule>& rules) {
  if (node.kind != YamlNode::Kind::sequence) {
    diagnostics.error(node.place, "`rules` must be a list", "begin each rule with `- `");
    return;
  }
  for (const YamlNode* item : node.items) {
    Rule rule;
    rule.name = fmt::format("rule {}", rules.size() + 1);
    read_rule(diagnostics, *item, rule);
    rules.push_back(std::move(rule));
  }
}

}  // namespace weir::policy
