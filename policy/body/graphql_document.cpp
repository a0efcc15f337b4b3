#include "policy/body/graphql_document.h"

#include <map>
#include <set>
#include <utility>

#include "base/text.h"
#include "policy/body/graphql_parser.h"

namespace weir::policy {

namespace {

constexpr auto kCode = "body_unreadable";
using Kind = GraphqlDefinition::Kind;

std::string_view name_of_kind(Kind kind) {
  if (kind == Kind::mutation) return "mutation";
  if (kind == Kind::subscription) return "subscription";
  return "query";
}

// The fragments by name. A tree, so that no choice of names makes it slow.
using Fragments = std::map<std::string_view, std::size_t>;

Result<Fragments> fragments_of(const std::vector<GraphqlDefinition>& definitions) {
  Fragments fragments;
  for (std::size_t i = 0; i < definitions.size(); ++i)
    if (definitions[i].kind == Kind::fragment && !fragments.emplace(definitions[i].name, i).second)
      return fail(kCode, "the fragment `" + printable(definitions[i].name, 60) + "` is defined twice");
  return fragments;
}

// Every spread names a fragment, and none leads back to itself. Linear in the number of spreads: fragments are taken
// away that nobody left spreads, until none is left (Kahn's topological sort).
Result<void> check_spreads(const std::vector<GraphqlDefinition>& definitions, const Fragments& fragments) {
  std::vector<std::vector<std::size_t>> spreads(definitions.size());
  std::vector<std::size_t> spread_by(definitions.size(), 0);
  for (std::size_t i = 0; i < definitions.size(); ++i) {
    for (const auto name : definitions[i].spreads) {
      const auto found = fragments.find(name);
      if (found == fragments.end()) return fail(kCode, "the fragment `" + printable(name, 60) + "` is not defined");
      spreads[i].push_back(found->second);
      ++spread_by[found->second];
    }
  }
  std::vector<std::size_t> free;
  for (std::size_t i = 0; i < definitions.size(); ++i)
    if (spread_by[i] == 0) free.push_back(i);
  std::size_t taken = 0;
  while (!free.empty()) {
    const auto one = free.back();
    free.pop_back();
    ++taken;
    for (const auto fragment : spreads[one])
      if (--spread_by[fragment] == 0) free.push_back(fragment);
  }
  if (taken != definitions.size()) return fail(kCode, "a fragment leads back to itself");
  return {};
}

// Walks the root selections of an operation and of the fragments that it spreads there, each fragment once.
class RootFields {
 public:
  RootFields(const std::vector<GraphqlDefinition>& definitions, const Fragments& fragments, std::size_t expansions)
      : definitions_(definitions), fragments_(fragments), left_(expansions), visited_(definitions.size(), 0) {}

  // False: more work than `expansions` allow.
  bool collect(std::size_t operation, std::vector<Operation>& out) {
    ++round_;
    const std::string kind(name_of_kind(definitions_[operation].kind));
    // A stack of places, not recursion: a chain of fragments may be as long as the document.
    std::vector<std::pair<std::size_t, std::size_t>> stack{{operation, 0}};
    while (!stack.empty()) {
      auto& [definition, next] = stack.back();
      if (next == definitions_[definition].root.size()) {
        stack.pop_back();
        continue;
      }
      if (left_ == 0) return false;
      --left_;
      const auto& selection = definitions_[definition].root[next++];
      if (!selection.spread) {
        if (seen_.emplace(definitions_[operation].kind, selection.name).second)
          out.push_back({.kind = kind, .name = std::string(selection.name)});
        continue;
      }
      const auto fragment = fragments_.at(selection.name);
      if (visited_[fragment] == round_) continue;
      visited_[fragment] = round_;
      stack.emplace_back(fragment, 0);
    }
    return true;
  }

 private:
  const std::vector<GraphqlDefinition>& definitions_;
  const Fragments& fragments_;
  std::size_t left_;
  std::vector<std::size_t> visited_;  // by definition: the round in which it was last entered
  std::size_t round_ = 0;
  std::set<std::pair<Kind, std::string_view>> seen_;
};

}  // namespace

Result<void> read_graphql_document(std::string_view document, const GraphqlLimits& limits, std::vector<Operation>& out) {
  if (valid_utf8_prefix(document) != document.size()) return fail(kCode, "the document is not valid UTF-8");
  std::vector<GraphqlDefinition> definitions;
  GraphqlParser parser(document, limits);
  if (!parser.parse(definitions)) return fail(kCode, parser.problem());
  const auto fragments = fragments_of(definitions);
  if (!fragments) return std::unexpected(fragments.error());
  const auto checked = check_spreads(definitions, *fragments);
  if (!checked) return checked;
  bool has_operation = false;
  RootFields roots(definitions, *fragments, limits.expansions);
  for (std::size_t i = 0; i < definitions.size(); ++i) {
    if (definitions[i].kind == Kind::fragment) continue;
    has_operation = true;
    if (!roots.collect(i, out)) return fail(kCode, "the document's fragments come to too much");
  }
  if (!has_operation) return fail(kCode, "the document has no operation");
  return {};
}

}  // namespace weir::policy
