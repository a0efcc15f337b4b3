#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_set>

#include "base/text.h"
#include "policy/document/rule_keys.h"
#include "policy/loading/rule_reader.h"
#include "policy/loading/values.h"
#include "policy/matching/coverage.h"
#include "policy/matching/path_glob.h"

namespace weir::policy {

namespace {

constexpr std::array<std::string_view, 15> kCommonMethods = {"GET",   "HEAD",     "POST",      "PUT",     "DELETE",
                                                             "PATCH", "OPTIONS",  "TRACE",     "CONNECT", "QUERY",
                                                             "COPY",  "PROPFIND", "PROPPATCH", "REPORT",  "MKCOL"};

void read_name(RuleReader& reader, const YamlNode& node) {
  if (auto word = read_text(reader.diagnostics, node, "name")) {
    if (word->text.size() > 200) reader.diagnostics.error(word->place, "`name` is longer than 200 octets");
    reader.rule.name = std::move(word->text);
  }
}

// Two spellings of one host ("A.com", "a.com.") are one entry, or the document could not be written down again. What is spelled
// as it counts is not looked at once more: no two words of a list are alike.
class Patterns {
 public:
  void add(HostPattern pattern, std::string_view as_written) {
    respelled_ = respelled_ || to_text(pattern) != as_written;
    patterns_.push_back(std::move(pattern));
  }
  std::vector<HostPattern> take() {
    if (respelled_) {
      std::unordered_set<std::string> seen;
      std::erase_if(patterns_, [&](const HostPattern& pattern) { return !seen.insert(to_text(pattern)).second; });
    }
    return std::move(patterns_);
  }
  void reserve(std::size_t count) { patterns_.reserve(count); }

 private:
  std::vector<HostPattern> patterns_;
  bool respelled_ = false;
};

void read_tcp(RuleReader& reader, const YamlNode& node) {
  constexpr std::string_view kExample = "for instance: tcp: [\"db.internal.example:5432\"]";
  reader.rule.tcp = true;
  Patterns patterns;
  for (const auto& word : read_list(reader.diagnostics, node, "tcp", kExample)) {
    auto pattern = read_host_pattern(word.text);
    if (!pattern)
      reader.diagnostics.error(word.place, pattern.error());
    else if (!pattern->port)
      reader.diagnostics.error(word.place, fmt::format("`{}` has no port, and `tcp` needs one", printable(word.text, 100)),
                               std::string(kExample));
    else
      patterns.add(std::move(*pattern), word.text);
  }
  reader.rule.hosts = patterns.take();
}

void read_tls(RuleReader& reader, const YamlNode& node) {
  const auto word = read_text(reader.diagnostics, node, "tls");
  if (!word) return;
  reader.rule.passthrough = word->text == "passthrough";
  if (!reader.rule.passthrough)
    reader.diagnostics.error(word->place, fmt::format("`{}` is not a value of `tls`", printable(word->text, 80)),
                             "`tls: passthrough` carries TLS unopened; leave `tls` out to look inside");
}

void read_ports(RuleReader& reader, const YamlNode& node) {
  for (const auto& word : read_list(reader.diagnostics, node, "ports", "for instance: ports: [443, 8443]")) {
    if (const auto port = read_port(word.text))
      reader.rule.ports.push_back(*port);
    else
      reader.diagnostics.error(word.place, port.error());
  }
}

void read_methods(RuleReader& reader, const YamlNode& node) {
  for (auto& word :
       read_list(reader.diagnostics, node, "methods", "for instance: methods: [GET, HEAD]; leave it out for any method")) {
    if (const auto problem = check_method(word.text)) {
      reader.diagnostics.error(word.place, *problem);
      continue;
    }
    if (std::ranges::find(kCommonMethods, word.text) == kCommonMethods.end())
      if (const auto near = nearest(word.text, kCommonMethods))
        reader.diagnostics.warning(word.place, fmt::format("`{}` is an unusual method", word.text),
                                   fmt::format("did you mean `{}`?", *near));
    reader.rule.methods.push_back(std::move(word.text));
  }
}

void read_paths(RuleReader& reader, const YamlNode& node) {
  reader.rule.paths = read_words(
      reader.diagnostics, node, "paths", "for instance: paths: [\"/v1/**\"]; leave it out for any path",
      [](std::string_view word) -> std::optional<Problem> {
        if (const auto glob = PathGlob::compile(word); !glob)
          return Problem{glob.error().message, "`*` is within one segment, `**` is any segments: /repos/*/issues, /v1/**"};
        return std::nullopt;
      });
}

void read_encoded_slash(RuleReader& reader, const YamlNode& node) {
  const auto word = read_text(reader.diagnostics, node, "encoded_slash");
  if (!word) return;
  if (word->text != "allow" && word->text != "deny")
    reader.diagnostics.error(word->place, fmt::format("`{}` is not a value of `encoded_slash`", printable(word->text, 80)),
                             "allow or deny");
  reader.rule.encoded_slash = word->text == "allow";
}

template <class T>
void take(RuleReader& reader, const YamlNode& node, std::string_view what, Read<T> (*read)(std::string_view),
          std::optional<T>& out) {
  const auto word = read_text(reader.diagnostics, node, what);
  if (!word) return;
  if (const auto value = read(word->text))
    out = *value;
  else
    reader.diagnostics.error(word->place, value.error());
}

template <void (*read)(RuleReader&, const YamlNode&)>
void value_only(RuleReader& reader, const YamlNode&, const YamlNode& value) {
  read(reader, value);
}

constexpr Key<RuleReader> kRuleKeys[] = {
    {"name", "What events and messages call the rule", shape::text, value_only<read_name>},
    {"hosts", "Names: example.com, *.example.com (all below it), * (all); host:port for ports other than 443 and 80",
     shape::hosts,
     [](RuleReader& reader, const YamlNode&, const YamlNode& value) {
       reader.rule.hosts = read_hosts(reader.diagnostics, value);
     }},
    {"tcp", "Raw TCP to these host:port, carried without looking into it", shape::destinations, value_only<read_tcp>},
    {"tls", "passthrough: TLS is carried unopened", shape::passthrough, value_only<read_tls>},
    {"ports", "Instead of 443 and 80", shape::ports, value_only<read_ports>},
    {"methods", "HTTP methods, in capitals; any when left out", shape::methods, value_only<read_methods>},
    {"paths", "Globs on the path: * within one segment, ** across segments; any when left out", shape::paths,
     value_only<read_paths>},
    {"encoded_slash", "Whether a path may have %2F where `paths` is in play; otherwise it is refused", shape::slash,
     value_only<read_encoded_slash>},
    {"query", "Parameters that must be there, and a glob that each of their values matches", shape::parameters,
     value_only<read_query>},
    {"headers", "Request headers that must be there, and a glob that each of their values matches", shape::fields,
     value_only<read_headers>},
    {"content_types", "Media types of the request, without parameters: application/json, image/*", shape::media_types,
     [](RuleReader& reader, const YamlNode&, const YamlNode& value) {
       reader.rule.content_types =
           read_words(reader.diagnostics, value, "content_types",
                      "for instance: content_types: [application/json, \"image/*\"]", check_media_type);
     }},
    {"websocket", "true: WebSocket handshakes alone; false: anything else", shape::flag,
     [](RuleReader& reader, const YamlNode&, const YamlNode& value) {
       reader.rule.websocket = read_flag(reader.diagnostics, value, "websocket");
     }},
    {"graphql", "GraphQL operations, each decided by itself", graphql_schema, value_only<read_graphql>},
    {"jsonrpc", "JSON-RPC 2.0 calls, each decided by itself", jsonrpc_schema, value_only<read_jsonrpc>},
    {"mcp", "Calls of the Model Context Protocol, each decided by itself", mcp_schema, value_only<read_mcp>},
    {"process", "Executables that hold the connection in the sandbox: /usr/bin/git, /usr/lib/git-core/**",
     shape::executables,
     [](RuleReader& reader, const YamlNode&, const YamlNode& value) {
       reader.rule.process =
           read_words(reader.diagnostics, value, "process", "for instance: process: [/usr/bin/git]", check_executable);
     }},
    {"when", "Windows of time in which the rule holds", shape::windows, value_only<read_when>},
    {"body_max", "A matching request that is larger is denied", shape::size,
     [](RuleReader& reader, const YamlNode&, const YamlNode& value) {
       take(reader, value, "body_max", read_size, reader.rule.body_max);
     }},
    {"rate", "A matching request beyond this rate is denied: 60/min", shape::rate,
     [](RuleReader& reader, const YamlNode&, const YamlNode& value) {
       take(reader, value, "rate", read_rate, reader.rule.rate);
     }},
    {"addresses", "Private networks that the hosts may lead to: 10.0.0.0/8", shape::networks,
     [](RuleReader& reader, const YamlNode&, const YamlNode& value) {
       reader.rule.addresses =
           read_words(reader.diagnostics, value, "addresses", "for instance: addresses: [10.0.0.0/8]", check_network);
     }},
    {"action", "What happens to what matches; the strictest rule wins", shape::action,
     [](RuleReader& reader, const YamlNode&, const YamlNode& value) {
       reader.rule.action = read_action(reader.diagnostics, value, "action", true).value_or(Action::allow);
     }},
};

void report_contradictions(RuleReader& reader, const YamlNode& node) {
  const auto find = [&](std::string_view key) -> const YamlNode* {
    const auto at =
        std::ranges::find(node.entries, key, [](const auto& entry) -> std::string_view { return entry.first->text; });
    return at == node.entries.end() ? nullptr : at->first;
  };
  for (const auto& found : find_contradictions(reader.rule, [&](std::string_view key) { return find(key) != nullptr; }))
    reader.diagnostics.error(found.key.empty() ? node.place : find(found.key)->place, found.problem);
}

// An encoded slash in a pattern that no path with one ever reaches.
void report_vain_slash(RuleReader& reader, const YamlNode& node) {
  if (reader.rule.encoded_slash) return;
  for (const auto& [key, value] : node.entries) {
    if (key->text != "paths") continue;
    for (const YamlNode* item : value->items) {
      if (item->text.find("%2F") == std::string::npos) continue;
      reader.diagnostics.error(item->place, "a path pattern with %2F can never match here",
                               "add `encoded_slash: allow` to the rule");
      return;
    }
  }
}

void read_rule(RuleReader& reader, const YamlNode& node) {
  reader.rule.place = node.place;
  read_section(reader.diagnostics, node, "a rule", kRuleKeys, reader, {}, "for instance: - hosts: [example.com]");
  if (node.kind != YamlNode::Kind::map) return;
  report_contradictions(reader, node);
  report_vain_slash(reader, node);
}

}  // namespace

std::vector<HostPattern> read_hosts(Diagnostics& diagnostics, const YamlNode& node) {
  Patterns patterns;
  const auto words = read_list(diagnostics, node, "hosts", "for instance: hosts: [example.com, \"*.example.com\"]");
  patterns.reserve(words.size());
  for (const auto& word : words) {
    if (auto pattern = read_host_pattern(word.text))
      patterns.add(std::move(*pattern), word.text);
    else
      diagnostics.error(word.place, pattern.error());
  }
  return patterns.take();
}

std::optional<Action> read_action(Diagnostics& diagnostics, const YamlNode& node, std::string_view what, bool may_allow) {
  const auto word = read_text(diagnostics, node, what);
  if (!word) return std::nullopt;
  if (word->text == "allow" && may_allow) return Action::allow;
  if (word->text == "log") return Action::log;
  if (word->text == "ask") return Action::ask;
  if (word->text == "deny") return Action::deny;
  constexpr std::array<std::string_view, 4> known = {"deny", "ask", "log", "allow"};
  const auto choices = std::span<const std::string_view>(known).first(may_allow ? 4 : 3);
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
  Zones zones;
  rules.reserve(rules.size() + node.items.size());
  for (const YamlNode* item : node.items) {
    Rule& rule = rules.emplace_back();
    rule.name = fmt::format("rule {}", rules.size());
    RuleReader reader{diagnostics, zones, rule};
    read_rule(reader, *item);
  }
}

Schema rule_keys_schema() { return section_schema(kRuleKeys); }

}  // namespace weir::policy
