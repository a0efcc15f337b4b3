#include "policy/body/graphql_parser.h"

#include "base/text.h"

namespace weir::policy {

void GraphqlParser::advance() {
  if (!problem_.empty()) return;
  token_ = lexer_.next();
  if (token_.kind == Kind::invalid) refuse(lexer_.problem());
  if (++tokens_ > limits_.tokens) refuse("the document is too long");
}

bool GraphqlParser::refuse(std::string_view problem) {
  if (problem_.empty()) problem_ = problem;
  token_ = {Kind::invalid, {}};
  return false;
}

bool GraphqlParser::unexpected() {
  if (token_.kind == Kind::end) return refuse("the document ends too early");
  return refuse("`" + printable(token_.text, 60) + "` has no place where it stands");
}

bool GraphqlParser::take(std::string_view punctuator) {
  if (!at(punctuator)) return false;
  advance();
  return true;
}

bool GraphqlParser::expect(std::string_view punctuator) { return take(punctuator) || unexpected(); }

bool GraphqlParser::name(std::string_view& out) {
  if (token_.kind != Kind::name) return unexpected();
  out = token_.text;
  advance();
  return true;
}

bool GraphqlParser::parse(std::vector<GraphqlDefinition>& out) {
  if (token_.kind == Kind::end) return refuse("the document is empty");
  while (token_.kind != Kind::end)
    if (!definition(out.emplace_back())) return false;
  return problem_.empty();
}

bool GraphqlParser::definition(GraphqlDefinition& out) {
  if (at("{")) return selection_set(out, true, 1);
  std::string_view keyword;
  if (!name(keyword)) return false;
  if (keyword == "fragment") {
    out.kind = GraphqlDefinition::Kind::fragment;
    if (!name(out.name)) return false;
    if (out.name == "on") return refuse("a fragment has no name");
    std::string_view on, type;
    if (!name(on)) return false;
    if (on != "on") return refuse("the fragment `" + printable(out.name, 60) + "` has no type");
    return name(type) && directives(false) && selection_set(out, true, 1);
  }
  if (keyword == "query")
    out.kind = GraphqlDefinition::Kind::query;
  else if (keyword == "mutation")
    out.kind = GraphqlDefinition::Kind::mutation;
  else if (keyword == "subscription")
    out.kind = GraphqlDefinition::Kind::subscription;
  else
    return refuse("`" + printable(keyword, 60) + "` begins no operation and no fragment");
  std::string_view operation_name;
  if (token_.kind == Kind::name && !name(operation_name)) return false;
  return variable_definitions() && directives(false) && selection_set(out, true, 1);
}

bool GraphqlParser::variable_definitions() {
  if (!take("(")) return problem_.empty();
  do {
    std::string_view variable;
    if (!expect("$") || !name(variable) || !expect(":") || !type(1)) return false;
    if (take("=") && !value(true, 1)) return false;
    if (!directives(true)) return false;
  } while (!at(")") && problem_.empty());
  return expect(")");
}

bool GraphqlParser::type(int depth) {
  if (depth > limits_.depth) return refuse("the document is nested too deeply");
  if (take("[")) {
    if (!type(depth + 1) || !expect("]")) return false;
  } else {
    std::string_view named;
    if (!name(named)) return false;
  }
  take("!");
  return problem_.empty();
}

bool GraphqlParser::directives(bool constant) {
  while (take("@")) {
    std::string_view directive;
    if (!name(directive) || !arguments(constant)) return false;
  }
  return problem_.empty();
}

bool GraphqlParser::arguments(bool constant) {
  if (!take("(")) return problem_.empty();
  do {
    std::string_view argument;
    if (!name(argument) || !expect(":") || !value(constant, 1)) return false;
  } while (!at(")") && problem_.empty());
  return expect(")");
}

// §2.9. `constant`: no variables in it.
bool GraphqlParser::value(bool constant, int depth) {
  if (depth > limits_.depth) return refuse("the document is nested too deeply");
  std::string_view ignored;
  if (token_.kind == Kind::number || token_.kind == Kind::string || token_.kind == Kind::name) {
    advance();
    return problem_.empty();
  }
  if (!constant && take("$")) return name(ignored);
  if (take("[")) {
    while (!at("]"))
      if (!value(constant, depth + 1)) return false;
    return expect("]");
  }
  if (take("{")) {
    while (!at("}"))
      if (!name(ignored) || !expect(":") || !value(constant, depth + 1)) return false;
    return expect("}");
  }
  return unexpected();
}

bool GraphqlParser::selection_set(GraphqlDefinition& out, bool root, int depth) {
  if (depth > limits_.depth) return refuse("the document is nested too deeply");
  if (!expect("{")) return false;
  do {
    if (!selection(out, root, depth)) return false;
  } while (!at("}"));
  return expect("}");
}

bool GraphqlParser::selection(GraphqlDefinition& out, bool root, int depth) {
  if (!take("...")) return field(out, root, depth);
  std::string_view spread;
  if (token_.kind == Kind::name) {
    if (!name(spread)) return false;
    if (spread != "on") {
      if (root) out.root.push_back({.spread = true, .name = spread});
      out.spreads.push_back(spread);
      return directives(false);
    }
    std::string_view type;
    if (!name(type)) return false;
  }
  // An inline fragment's fields stand where it stands.
  return directives(false) && selection_set(out, root, depth + 1);
}

bool GraphqlParser::field(GraphqlDefinition& out, bool root, int depth) {
  std::string_view field;
  if (!name(field)) return false;
  if (take(":") && !name(field)) return false;  // what came first was an alias
  if (root) out.root.push_back({.spread = false, .name = field});
  if (!arguments(false) || !directives(false)) return false;
  return !at("{") || selection_set(out, false, depth + 1);
}

}  // namespace weir::policy
