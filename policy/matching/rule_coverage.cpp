#include <algorithm>

#include "policy/matching/coverage.h"

namespace weir::policy {

namespace {

// Whether each of `narrow` is covered by one of `wide`, where none at all means any.
template <class List, class Covers>
bool list_covers(const List& wide, const List& narrow, Covers&& covers) {
  if (wide.empty()) return true;
  return !narrow.empty() && std::ranges::all_of(narrow, [&](const auto& n) {
    return std::ranges::any_of(wide, [&](const auto& w) { return covers(w, n); });
  });
}

constexpr auto kSame = [](const auto& a, const auto& b) { return a == b; };

// All of `wide` must hold, so each must follow from one of `narrow`.
bool named_cover(const std::vector<NamedGlob>& wide, const std::vector<NamedGlob>& narrow) {
  return std::ranges::all_of(wide, [&](const NamedGlob& w) {
    return std::ranges::any_of(narrow, [&](const NamedGlob& n) { return n.name == w.name && text_covers(w.glob, n.glob); });
  });
}

bool handshakes_cover(const Rule& wide, const Rule& narrow) {
  const auto takes = [](const Rule& rule, bool handshake) {
    return rule.websocket ? *rule.websocket == handshake : !handshake || rule.action == Action::deny;
  };
  return (takes(wide, true) || !takes(narrow, true)) && (takes(wide, false) || !takes(narrow, false));
}

bool graphql_covers(const GraphqlCondition& wide, const GraphqlCondition& narrow) {
  return list_covers(wide.operations, narrow.operations, kSame) && list_covers(wide.fields, narrow.fields, text_covers);
}

bool rpc_covers(const RpcCondition& wide, const RpcCondition& narrow) {
  if (wide == narrow) return true;
  if (wide.mcp != narrow.mcp || (!wide.tools.empty() && narrow.tools.empty())) return false;
  const auto methods = [](const RpcCondition& rpc) {
    return rpc.methods.empty() && !rpc.tools.empty() ? std::vector<std::string>{"tools/call"} : rpc.methods;
  };
  return list_covers(methods(wide), methods(narrow), text_covers) && list_covers(wide.tools, narrow.tools, text_covers);
}

bool kind_covers(const Rule& wide, const Rule& narrow) {
  if (wide.is_tunnel()) return wide.tcp == narrow.tcp && wide.passthrough == narrow.passthrough;
  // Of the rules for requests only those that hold something back reach into tunnels.
  return !narrow.is_tunnel() || (!wide.looks_inside() && wide.action >= Action::ask);
}

}  // namespace

bool rule_covers(const Rule& wide, const Rule& narrow) {
  return kind_covers(wide, narrow) && list_covers(wide.methods, narrow.methods, kSame) &&
         list_covers(wide.paths, narrow.paths, path_covers) && named_cover(wide.query, narrow.query) &&
         named_cover(wide.headers, narrow.headers) && list_covers(wide.content_types, narrow.content_types, text_covers) &&
         list_covers(wide.when, narrow.when, kSame) && list_covers(wide.process, narrow.process, path_covers) &&
         (narrow.is_tunnel() || handshakes_cover(wide, narrow)) &&
         (!wide.graphql || (narrow.graphql && graphql_covers(*wide.graphql, *narrow.graphql))) &&
         (!wide.rpc || (narrow.rpc && rpc_covers(*wide.rpc, *narrow.rpc))) &&
         covers(destinations_of(wide), destinations_of(narrow));
}

}  // namespace weir::policy
