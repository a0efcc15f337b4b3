// Mappings by indentation with a value on each line: what gh writes. All else of YAML is refused.
// SECURITY: G2. A YAML library keeps copies of what it reads.
#include <optional>

#include "launch/logins/lines.h"

namespace weir::launch {
namespace {

struct Level {
  std::size_t indent = 0;
  std::string key;
};

// What stands in quotes, or all of it before a comment. Nothing when it is anything more than that.
std::optional<Span> plain_value(std::string_view text, Span span) {
  const auto raw = span.in(text);
  if (raw == "{}" || raw == "[]") return span;
  if (raw.empty() || raw[0] == '#') return Span{span.from, 0};
  if (raw[0] == '\'' || raw[0] == '"') {
    const auto end = raw.find(raw[0], 1);
    if (end == std::string_view::npos || raw.find('\\') != std::string_view::npos) return std::nullopt;
    const auto rest = trimmed(text, {span.from + end + 1, raw.size() - end - 1}).in(text);
    if (!rest.empty() && (rest[0] != '#' || end + 1 == raw.size() - rest.size())) return std::nullopt;
    return Span{span.from + 1, end - 1};
  }
  if (std::string_view("&*!|>{}[]%@`,?-").find(raw[0]) != std::string_view::npos && !(raw[0] == '-' && raw.size() > 1 && raw[1] != ' '))
    return std::nullopt;
  const auto comment = std::min(raw.find(" #"), raw.find("\t#"));
  const auto value = trimmed(text, {span.from, std::min(comment, raw.size())});
  if (value.in(text).find(": ") != std::string_view::npos || value.in(text).ends_with(':')) return std::nullopt;
  return value;
}

}  // namespace

Result<std::vector<FoundValue>> scan_yaml(std::string_view text) {
  Values values;
  std::vector<Level> above;
  bool deeper_possible = true;  // the line before had a key without a value
  const auto done = each_line(text, [&](std::size_t number, Span line) -> Result<void> {
    const Span all = trimmed(text, line);
    const auto words = all.in(text);
    if (words.empty() || words[0] == '#') return {};
    const std::size_t indent = all.from - line.from;
    if (line.in(text).substr(0, indent).find('\t') != std::string_view::npos)
      return unreadable(number, "a tab at its beginning");
    auto colon = words.find(": ");
    if (colon == std::string_view::npos && words.ends_with(':')) colon = words.size() - 1;
    if (colon == std::string_view::npos || colon == 0 || std::string_view("-?{[&*!|>%@`,\"'").find(words[0]) != std::string_view::npos)
      return unreadable(number, "it is not `key: value`");
    bool closed = false;
    for (; !above.empty() && above.back().indent > indent; above.pop_back()) closed = true;
    const bool beside = !above.empty() && above.back().indent == indent;
    if (!beside && closed) return unreadable(number, "it is indented as no line above it");
    if (!beside && !deeper_possible) return unreadable(number, "it is indented under a value");
    if (!beside && above.empty() && indent > 0) return unreadable(number, "it is indented under nothing");
    const std::string key(trimmed(text, {all.from, colon}).in(text));
    if (beside)
      above.back().key = key;
    else
      above.push_back({indent, key});
    const auto value = plain_value(text, trimmed(text, {all.from + colon + 1, words.size() - colon - 1}));
    if (!value) return unreadable(number, "a value of a kind that weir does not read");
    deeper_possible = value->empty();
    std::vector<std::string> path;
    for (const auto& level : above) path.push_back(level.key);
    return values.add(number, std::move(path), *value);
  });
  if (!done) return std::unexpected(done.error());
  return values.take();
}

}  // namespace weir::launch
