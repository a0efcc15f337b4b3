// The lexical tokens of a GraphQL document (specification of October 2021, §2.1).
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::policy {

struct GraphqlToken {
  enum class Kind : std::uint8_t { end, invalid, punctuator, name, number, string } kind = Kind::end;
  std::string_view text;  // a view into the document; of a string with its quotes
};

class GraphqlLexer {
 public:
  // `document` is valid UTF-8 and outlives the lexer.
  explicit GraphqlLexer(std::string_view document) : rest_(document) {}

  // Stricter than the specification: a comment with a lone CR or another line separator in it is invalid, since not every
  // server ends it there. SECURITY: G7. After `invalid`, problem() says why and no further token is to be asked for.
  GraphqlToken next();
  std::string_view problem() const { return problem_; }

 private:
  bool skip_ignored();
  bool skip_comment();
  GraphqlToken number();
  GraphqlToken string();
  GraphqlToken block_string();
  GraphqlToken take(GraphqlToken::Kind kind, std::size_t size);
  GraphqlToken invalid(std::string_view problem);

  std::string_view rest_;
  std::string_view problem_;
};

}  // namespace weir::policy
