#include "vault/import.h"

#include <nlohmann/json.hpp>
#include <string_view>

#include "base/text.h"

namespace weir::vault {
namespace {

std::unexpected<Error> at_line(std::size_t line, std::string_view what) {
  return fail("vault_import_invalid", "line " + std::to_string(line) + ": " + std::string(what));
}

// The value of one line, from after the '='.
Result<Secret> read_value(std::string_view text, std::size_t line) {
  text = trim(text);
  Secret value = Secret::of_size(text.size() + 1);
  std::size_t size = 0;
  if (text.empty() || (text[0] != '"' && text[0] != '\'')) {
    const auto comment = text.find(" #");
    text = text.starts_with('#') ? std::string_view{} : trim(text.substr(0, comment));
    for (const char c : text) value.data()[size++] = c;
    value.shrink(size);
    return value;
  }
  const char quote = text[0];
  std::size_t at = 1;
  for (; at < text.size() && text[at] != quote; ++at) {
    char c = text[at];
    if (c == '\\' && quote == '"') {
      if (++at == text.size()) break;
      c = text[at] == 'n' ? '\n' : text[at] == 'r' ? '\r' : text[at] == 't' ? '\t' : text[at];
    }
    value.data()[size++] = c;
  }
  if (at >= text.size()) return at_line(line, "the quote is not closed on the line");
  const std::string_view rest = trim(text.substr(at + 1));
  if (!rest.empty() && rest[0] != '#') return at_line(line, "there is more after the closing quote");
  value.shrink(size);
  return value;
}

}  // namespace

Result<NamedSecrets> parse_env(const Secret& text) {
  NamedSecrets found;
  std::size_t line = 0;
  for (std::string_view given : split(text.reveal(), '\n')) {
    ++line;
    given = trim(given);
    if (given.empty() || given[0] == '#') continue;
    if (given.starts_with("export ")) given = trim(given.substr(7));
    const auto equals = given.find('=');
    if (equals == std::string_view::npos) return at_line(line, "no '=' here; write NAME=VALUE");
    const std::string_view name = trim(given.substr(0, equals));
    if (name.empty()) return at_line(line, "no name before the '='");
    auto value = read_value(given.substr(equals + 1), line);
    if (!value) return std::unexpected(value.error());
    found.emplace_back(std::string(name), std::move(*value));
  }
  return found;
}

Result<NamedSecrets> parse_json(const Secret& text) {
  auto json = nlohmann::json::parse(text.reveal(), nullptr, false);
  if (!json.is_object()) return fail("vault_import_invalid", "it is not a JSON object of names and values");
  NamedSecrets found;
  Result<void> done;
  for (auto& [name, value] : json.items()) {
    if (auto* string = value.get_ptr<std::string*>()) {
      found.emplace_back(name, Secret(*string));
      wipe(string->data(), string->size());
    } else if (done) {
      done = fail("vault_import_invalid", "the value of `" + printable(name, 100) + "` is not a string");
    }
  }
  if (!done) return std::unexpected(done.error());
  return found;
}

}  // namespace weir::vault
