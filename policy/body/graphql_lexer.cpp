#include "policy/body/graphql_lexer.h"

namespace weir::policy {

namespace {

constexpr std::string_view kByteOrderMark = "\ufeff";
constexpr std::string_view kLineSeparator = "\u2028";  // U+2029 differs in its last byte; both ended a line in early drafts
constexpr std::string_view kParagraphSeparator = "\u2029";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_source_character(char c) { return static_cast<unsigned char>(c) >= 0x20 || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

GraphqlToken GraphqlLexer::take(GraphqlToken::Kind kind, std::size_t size) {
  const auto text = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return {kind, text};
}

GraphqlToken GraphqlLexer::invalid(std::string_view problem) {
  problem_ = problem;
  return {GraphqlToken::Kind::invalid, {}};
}

bool GraphqlLexer::skip_comment() {
  for (std::size_t i = 1; i < rest_.size(); ++i) {
    const char c = rest_[i];
    if (c == '\n' || (c == '\r' && i + 1 < rest_.size() && rest_[i + 1] == '\n')) {
      rest_.remove_prefix(i + 1);
      return true;
    }
    const auto here = rest_.substr(i);
    if (!is_source_character(c) || c == '\r' || here.starts_with(kLineSeparator) || here.starts_with(kParagraphSeparator)) {
      problem_ = "a comment holds a character that may end it";
      return false;
    }
  }
  rest_ = {};
  return true;
}

// §2.1.7: white space, line terminators, commas, comments, byte order marks.
bool GraphqlLexer::skip_ignored() {
  while (!rest_.empty()) {
    const char c = rest_.front();
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',') {
      rest_.remove_prefix(1);
    } else if (rest_.starts_with(kByteOrderMark)) {
      rest_.remove_prefix(kByteOrderMark.size());
    } else if (c == '#') {
      if (!skip_comment()) return false;
    } else {
      return true;
    }
  }
  return true;
}

GraphqlToken GraphqlLexer::next() {
  using Kind = GraphqlToken::Kind;
  if (!skip_ignored()) return {Kind::invalid, {}};
  if (rest_.empty()) return {Kind::end, {}};
  const char c = rest_.front();
  if (is_name_start(c)) {
    std::size_t size = 1;
    while (size < rest_.size() && (is_name_start(rest_[size]) || is_digit(rest_[size]))) ++size;
    return take(Kind::name, size);
  }
  if (std::string_view("!$&():=@[]{|}").find(c) != std::string_view::npos) return take(Kind::punctuator, 1);
  if (rest_.starts_with("...")) return take(Kind::punctuator, 3);
  if (is_digit(c) || c == '-') return number();
  if (rest_.starts_with("\"\"\"")) return block_string();
  if (c == '"') return string();
  return invalid("a character has no place in it");
}

// §2.9.1, §2.9.2: no leading zeros, and no digit, dot or name may follow at once.
GraphqlToken GraphqlLexer::number() {
  std::size_t at = 0;
  const auto digits = [&] {
    const auto from = at;
    while (at < rest_.size() && is_digit(rest_[at])) ++at;
    return at - from;
  };
  if (rest_[at] == '-') ++at;
  const bool zero = at < rest_.size() && rest_[at] == '0';
  const auto whole = digits();
  if (whole == 0 || (zero && whole > 1)) return invalid("a number is malformed");
  if (at < rest_.size() && rest_[at] == '.') {
    ++at;
    if (digits() == 0) return invalid("a number is malformed");
  }
  if (at < rest_.size() && (rest_[at] == 'e' || rest_[at] == 'E')) {
    ++at;
    if (at < rest_.size() && (rest_[at] == '+' || rest_[at] == '-')) ++at;
    if (digits() == 0) return invalid("a number is malformed");
  }
  if (at < rest_.size() && (rest_[at] == '.' || is_name_start(rest_[at]))) return invalid("a number is malformed");
  return take(GraphqlToken::Kind::number, at);
}

// §2.9.4. The later form \u{...} is taken too: it ends at the same place whoever reads it.
GraphqlToken GraphqlLexer::string() {
  std::size_t at = 1;
  while (at < rest_.size()) {
    const char c = rest_[at];
    if (c == '"') return take(GraphqlToken::Kind::string, at + 1);
    if (c == '\n' || c == '\r' || !is_source_character(c)) break;
    if (c != '\\') {
      ++at;
      continue;
    }
    if (++at == rest_.size()) break;
    const char escape = rest_[at++];
    if (escape == 'u') {
      const bool braced = at < rest_.size() && rest_[at] == '{';
      if (braced) ++at;
      std::size_t count = 0;
      while (at < rest_.size() && is_hex(rest_[at]) && (braced || count < 4)) ++at, ++count;
      if (braced ? count == 0 || at == rest_.size() || rest_[at] != '}' : count != 4) break;
      if (braced) ++at;
    } else if (std::string_view("\"\\/bfnrt").find(escape) == std::string_view::npos) {
      break;
    }
  }
  return invalid("a string is malformed");
}

GraphqlToken GraphqlLexer::block_string() {
  std::size_t at = 3;
  while (at < rest_.size()) {
    const auto here = rest_.substr(at);
    if (here.starts_with("\"\"\"")) return take(GraphqlToken::Kind::string, at + 3);
    if (here.starts_with("\\\"\"\"")) {
      at += 4;
    } else if (is_source_character(here.front())) {
      ++at;
    } else {
      break;
    }
  }
  return invalid("a block string is malformed");
}

}  // namespace weir::policy
