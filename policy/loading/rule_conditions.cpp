#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "policy/loading/rule_reader.h"
#include "policy/loading/time_windows.h"

namespace weir::policy {

namespace {

// A map from names to globs.
std::vector<NamedGlob> read_named(Diagnostics& diagnostics, const YamlNode& node, std::string_view what,
                                  std::string_view example, std::string (*canonical)(std::string_view),
                                  std::optional<Problem> (*check_name)(std::string_view)) {
  std::vector<NamedGlob> globs;
  if (node.kind != YamlNode::Kind::map) {
    diagnostics.error(node.place, fmt::format("`{}` must be a map from names to values", what), std::string(example));
    return globs;
  }
  if (node.entries.empty()) diagnostics.error(node.place, fmt::format("`{}` is an empty map", what), std::string(example));
  for (const auto& [key, value] : node.entries) {
    NamedGlob glob{canonical(key->text), value->text};
    if (const auto problem = check_name(glob.name)) {
      diagnostics.error(key->place, *problem);
    } else if (value->kind != YamlNode::Kind::scalar) {
      diagnostics.error(value->place, fmt::format("`{}` in `{}` must be a single value", printable(key->text, 80), what),
                        "`\"*\"` is any value, \"\" the empty one");
    } else if (const auto wrong = check_glob(what, glob.glob)) {
      diagnostics.error(value->place, *wrong);
    } else if (std::ranges::find(globs, glob.name, &NamedGlob::name) != globs.end()) {
      diagnostics.error(key->place, fmt::format("`{}` is twice in `{}`", glob.name, what), "names of headers have no case");
    } else {
      globs.push_back(std::move(glob));
    }
  }
  return globs;
}

std::vector<std::string> read_globs(Diagnostics& diagnostics, const YamlNode& node, std::string_view what,
                                    std::string_view example) {
  return read_words(diagnostics, node, what, example, [&](std::string_view word) { return check_glob(what, word); });
}

struct GraphqlReader {
  Diagnostics& diagnostics;
  GraphqlCondition condition{};
};

constexpr Key<GraphqlReader> kGraphqlKeys[] = {
    {"operations", "Types of operation; any when left out", shape::operations,
     [](GraphqlReader& reader, const YamlNode&, const YamlNode& value) {
       reader.condition.operations =
           read_words(reader.diagnostics, value, "operations", "for instance: operations: [query]", check_operation);
     }},
    {"fields", "Root fields, `*` for any characters; any when left out", shape::globs,
     [](GraphqlReader& reader, const YamlNode&, const YamlNode& value) {
       reader.condition.fields =
           read_globs(reader.diagnostics, value, "fields", "for instance: fields: [viewer, \"repository*\"]");
     }},
};

struct RpcReader {
  Diagnostics& diagnostics;
  RpcCondition condition{};
};

void read_rpc_methods(RpcReader& reader, const YamlNode&, const YamlNode& value) {
  const bool mcp = reader.condition.mcp;
  const auto words = read_list(
      reader.diagnostics, value, "methods",
      mcp ? "for instance: methods: [initialize, tools/list, tools/call]" : "for instance: methods: [\"eth_get*\"]",
      mcp ? Empty::allowed : Empty::refused);
  for (const auto& word : words) {
    if (const auto problem = check_glob("methods", word.text))
      reader.diagnostics.error(word.place, *problem);
    else
      reader.condition.methods.push_back(word.text);
  }
}

constexpr Key<RpcReader> kJsonrpcKeys[] = {
    {"methods", "JSON-RPC methods, `*` for any characters; any when left out", shape::globs, read_rpc_methods},
};

constexpr Key<RpcReader> kMcpKeys[] = {
    {"methods", "MCP methods, `*` for any characters; the empty one is a response that the client posts", shape::globs,
     read_rpc_methods},
    {"tools", "Tools that may be called, `*` for any characters; without `methods` the rule is about tools/call alone",
     shape::globs,
     [](RpcReader& reader, const YamlNode&, const YamlNode& value) {
       reader.condition.tools = read_globs(reader.diagnostics, value, "tools", "for instance: tools: [\"search_*\"]");
     }},
};

template <std::size_t N>
void read_rpc(RuleReader& reader, const YamlNode& node, std::string_view what, bool mcp, const Key<RpcReader> (&keys)[N],
              std::string_view example) {
  RpcReader rpc{.diagnostics = reader.diagnostics};
  rpc.condition.mcp = mcp;
  read_section(reader.diagnostics, node, what, keys, rpc, {}, example);
  reader.rule.rpc = std::move(rpc.condition);
}

}  // namespace

void read_query(RuleReader& reader, const YamlNode& node) {
  reader.rule.query = read_named(
      reader.diagnostics, node, "query", "for instance: query: {service: git-upload-pack}",
      [](std::string_view name) { return std::string(name); }, check_parameter);
}

void read_headers(RuleReader& reader, const YamlNode& node) {
  reader.rule.headers = read_named(reader.diagnostics, node, "headers", "for instance: headers: {x-team: \"data-*\"}",
                                   to_lower, check_condition_header);
}

void read_when(RuleReader& reader, const YamlNode& node) {
  for (const auto& word :
       read_list(reader.diagnostics, node, "when", "for instance: when: [\"mon-fri 09:00-17:30 Europe/Berlin\"]")) {
    auto window = read_time_window(word.text, reader.zones);
    if (!window)
      reader.diagnostics.error(word.place, window.error());
    else if (std::ranges::find(reader.rule.when, *window) == reader.rule.when.end())  // else: "mon,tue", "mon-tue"
      reader.rule.when.push_back(std::move(*window));
  }
}

void read_graphql(RuleReader& reader, const YamlNode& node) {
  GraphqlReader graphql{.diagnostics = reader.diagnostics};
  read_section(reader.diagnostics, node, "`graphql`", kGraphqlKeys, graphql, {},
               "for instance: graphql: {operations: [query]}");
  reader.rule.graphql = std::move(graphql.condition);
}

void read_jsonrpc(RuleReader& reader, const YamlNode& node) {
  constexpr std::string_view kExample = "for instance: jsonrpc: {methods: [\"eth_get*\"]}";
  if (node.kind == YamlNode::Kind::map)
    for (const auto& [key, value] : node.entries)
      if (key->text == "tools") {
        reader.diagnostics.error(key->place, "`tools` is for `mcp` alone", "write `mcp` instead of `jsonrpc`");
        return;
      }
  read_rpc(reader, node, "`jsonrpc`", false, kJsonrpcKeys, kExample);
}

void read_mcp(RuleReader& reader, const YamlNode& node) {
  read_rpc(reader, node, "`mcp`", true, kMcpKeys, "for instance: mcp: {tools: [\"search_*\"]}");
}

Schema graphql_schema() { return section_schema(kGraphqlKeys); }
Schema jsonrpc_schema() { return section_schema(kJsonrpcKeys); }
Schema mcp_schema() { return section_schema(kMcpKeys); }

}  // namespace weir::policy
