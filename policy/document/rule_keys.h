// Which keys of a rule go together. Read by the loader, by the check of what came over the channel, and by the JSON Schema.
#pragma once

#include <array>
#include <functional>
#include <string_view>
#include <vector>

#include "policy/document/check.h"

namespace weir::policy {

// All that may stand in a rule for connections that are not looked into.
inline constexpr std::array<std::string_view, 7> kTcpKeys = {"name", "tcp",     "addresses", "action",
                                                             "when", "process", "rate"};
inline constexpr std::array<std::string_view, 8> kPassthroughKeys = {"name",   "hosts", "ports",   "addresses",
                                                                     "action", "when",  "process", "rate"};
inline constexpr std::array<std::string_view, 3> kNotInDenials = {"addresses", "body_max", "rate"};
inline constexpr std::array<std::string_view, 5> kNotInHandshakes = {"content_types", "body_max", "graphql", "jsonrpc",
                                                                     "mcp"};
inline constexpr std::array<std::string_view, 3> kBodyFormats = {"graphql", "jsonrpc", "mcp"};
inline constexpr std::array<std::string_view, 3> kOperations = {"query", "mutation", "subscription"};

// `given` says whether a key is written in the rule.
std::vector<Contradiction> find_contradictions(const Rule& rule, const std::function<bool(std::string_view key)>& given);

}  // namespace weir::policy
