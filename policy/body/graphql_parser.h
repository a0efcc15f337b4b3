// A GraphQL document taken apart as far as its root fields need it: a recursive-descent parser of the grammar in §2 of the
// specification of October 2021 that checks all and keeps little.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policy/body/graphql_document.h"
#include "policy/body/graphql_lexer.h"

namespace weir::policy {

// Views into the document.
struct GraphqlDefinition {
  enum class Kind { query, mutation, subscription, fragment } kind = Kind::query;
  std::string_view name;  // of a fragment

  struct Selection {
    bool spread = false;    // of a fragment; else a field
    std::string_view name;  // the field's own, not its alias; the fragment's
  };
  std::vector<Selection> root;            // the outermost selection set, inline fragments opened
  std::vector<std::string_view> spreads;  // every fragment that is spread at any depth
};

class GraphqlParser {
 public:
  GraphqlParser(std::string_view document, const GraphqlLimits& limits) : lexer_(document), limits_(limits) { advance(); }

  // False: problem() says why. At least one definition on success.
  bool parse(std::vector<GraphqlDefinition>& out);
  const std::string& problem() const { return problem_; }

 private:
  using Kind = GraphqlToken::Kind;
  void advance();
  bool at(std::string_view punctuator) const { return token_.kind == Kind::punctuator && token_.text == punctuator; }
  bool take(std::string_view punctuator);    // if it is there
  bool expect(std::string_view punctuator);  // a problem if it is not
  bool name(std::string_view& out);
  bool refuse(std::string_view problem);  // the first one counts; gives false
  bool unexpected();

  bool definition(GraphqlDefinition& out);
  bool variable_definitions();
  bool type(int depth);
  bool directives(bool constant);
  bool arguments(bool constant);
  bool value(bool constant, int depth);
  bool selection_set(GraphqlDefinition& out, bool root, int depth);
  bool selection(GraphqlDefinition& out, bool root, int depth);
  bool field(GraphqlDefinition& out, bool root, int depth);

  GraphqlLexer lexer_;
  const GraphqlLimits& limits_;
  GraphqlToken token_;
  std::size_t tokens_ = 0;
  std::string problem_;
};

}  // namespace weir::policy
