#include "policy/body/media_type.h"

#include "base/text.h"

namespace weir::policy {

namespace {

bool is_token_character(char c) {  // tchar, RFC 9110 §5.6.2
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

std::string_view take_token(std::string_view& rest) {
  std::size_t size = 0;
  while (size < rest.size() && is_token_character(rest[size])) ++size;
  const auto token = rest.substr(0, size);
  rest.remove_prefix(size);
  return token;
}

void skip_blanks(std::string_view& rest) {
  while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t')) rest.remove_prefix(1);
}

bool take(std::string_view& rest, char c) {
  if (!rest.starts_with(c)) return false;
  rest.remove_prefix(1);
  return true;
}

// A quoted string behind its opening quote (RFC 9110 §5.6.4).
std::optional<std::string> take_quoted(std::string_view& rest) {
  std::string value;
  while (!rest.empty()) {
    char c = rest.front();
    rest.remove_prefix(1);
    if (c == '"') return value;
    if (c == '\\') {
      if (rest.empty()) return std::nullopt;
      c = rest.front();
      rest.remove_prefix(1);
    }
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) return std::nullopt;
    value += c;
  }
  return std::nullopt;
}

}  // namespace

std::optional<MediaType> parse_media_type(std::string_view content_type) {
  auto rest = content_type;
  skip_blanks(rest);
  const auto type = take_token(rest);
  const bool slash = take(rest, '/');
  const auto subtype = take_token(rest);
  if (type.empty() || !slash || subtype.empty()) return std::nullopt;
  MediaType result{.essence = to_lower(type) + '/' + to_lower(subtype), .charset = {}};
  bool has_charset = false;
  for (;;) {
    skip_blanks(rest);
    if (rest.empty()) return result;
    if (!take(rest, ';')) return std::nullopt;
    skip_blanks(rest);
    const auto name = take_token(rest);
    if (name.empty()) continue;  // the grammar allows "; ;"
    if (!take(rest, '=')) return std::nullopt;
    std::optional<std::string> value;
    if (take(rest, '"')) {
      value = take_quoted(rest);
    } else if (const auto token = take_token(rest); !token.empty()) {
      value = std::string(token);
    }
    if (!value) return std::nullopt;
    if (!equals_ignoring_case(name, "charset")) continue;
    if (has_charset) return std::nullopt;
    has_charset = true;
    if (value->empty()) return std::nullopt;
    result.charset = to_lower(*value);
  }
}

bool is_json(const MediaType& type) { return type.essence == "application/json" || type.essence.ends_with("+json"); }

std::string_view encoding_problem(const MediaType& type, std::string_view content_encoding) {
  if (!content_encoding.empty() && !equals_ignoring_case(content_encoding, "identity")) return "the body is compressed";
  if (!type.charset.empty() && type.charset != "utf-8" && type.charset != "utf8") return "the body is not in UTF-8";
  return {};
}

}  // namespace weir::policy
