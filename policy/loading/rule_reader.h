// What reads one rule.
#pragma once

#include "policy/document/check.h"
#include "policy/loading/sections.h"
#include "policy/loading/zones.h"

namespace weir::policy {

struct RuleReader {
  Diagnostics& diagnostics;
  Zones& zones;
  Rule& rule;
};

// A list of words, each of which must pass `check`; those that do not are reported and left out.
template <class Check>
std::vector<std::string> read_words(Diagnostics& diagnostics, const YamlNode& node, std::string_view what,
                                    std::string_view example, Check&& check) {
  std::vector<std::string> words;
  for (auto& word : read_list(diagnostics, node, what, example)) {
    if (const auto problem = check(std::string_view(word.text)))
      diagnostics.error(word.place, *problem);
    else
      words.push_back(std::move(word.text));
  }
  return words;
}

// The conditions that have a form of their own; the others are read in rules.cpp.
void read_query(RuleReader& reader, const YamlNode& node);
void read_headers(RuleReader& reader, const YamlNode& node);
void read_when(RuleReader& reader, const YamlNode& node);
void read_graphql(RuleReader& reader, const YamlNode& node);
void read_jsonrpc(RuleReader& reader, const YamlNode& node);
void read_mcp(RuleReader& reader, const YamlNode& node);
Schema rule_keys_schema();
Schema graphql_schema();
Schema jsonrpc_schema();
Schema mcp_schema();

}  // namespace weir::policy
