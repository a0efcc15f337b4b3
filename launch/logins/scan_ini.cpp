// Files of `key = value`: those of the AWS tools and npm's.
#include <optional>

#include "base/text.h"
#include "launch/logins/lines.h"

namespace weir::launch {

// [section], `key = value` or `key: value`, comments in lines of their own; indented keys belong to the key above them (s3 =). As the
// AWS tools read it: keys in any case, the value is the rest of the line.
Result<std::vector<FoundValue>> scan_ini(std::string_view text) {
  Values values;
  std::optional<std::string> section;
  std::string above;
  const auto done = each_line(text, [&](std::size_t number, Span line) -> Result<void> {
    const Span all = trimmed(text, line);
    const auto words = all.in(text);
    if (words.empty() || words[0] == '#' || words[0] == ';') return {};
    const bool indented = all.from > line.from;
    if (words[0] == '[') {
      const auto end = words.find(']');
      if (end == std::string_view::npos || indented) return unreadable(number, "a section's name is not in brackets: [name]");
      const auto rest = trim(words.substr(end + 1));
      if (!rest.empty() && rest[0] != '#' && rest[0] != ';') return unreadable(number, "there is more behind the section's name");
      section = std::string(trim(words.substr(1, end - 1)));
      above.clear();
      return {};
    }
    const auto equals = words.find_first_of("=:");
    if (!section) return unreadable(number, "it stands in no section");
    if (equals == std::string_view::npos || equals == 0) return unreadable(number, "it is not `key = value`");
    std::string key = to_lower(trim(words.substr(0, equals)));
    const Span value = trimmed(text, {all.from + equals + 1, all.size - equals - 1});
    if (indented && above.empty()) return unreadable(number, "an indented line with nothing above it");
    if (indented) return values.add(number, {*section, above, key}, value);
    above = key;
    return values.add(number, {*section, std::move(key)}, value);
  });
  if (!done) return std::unexpected(done.error());
  return values.take();
}

// npm's own form: `key=value`, `key[]=value`; what stands behind a `;` or `#` is a comment; a value may be in quotes. A key
// `//host/path/:name` is split.
Result<std::vector<FoundValue>> scan_npmrc(std::string_view text) {
  Values values;
  std::size_t lists = 0;
  const auto done = each_line(text, [&](std::size_t number, Span line) -> Result<void> {
    const Span all = trimmed(text, line);
    const auto words = all.in(text);
    if (words.empty() || words[0] == '#' || words[0] == ';') return {};
    const auto equals = words.find('=');
    if (words[0] == '[' || words[0] == '"' || words[0] == '\'' || equals == 0)
      return unreadable(number, "it is not `key=value`");
    if (equals == std::string_view::npos) return {};  // a flag
    std::string key(trim(words.substr(0, equals)));
    Span value = trimmed(text, {all.from + equals + 1, all.size - equals - 1});
    const auto raw = value.in(text);
    if (!raw.empty() && (raw[0] == '"' || raw[0] == '\'')) {
      const auto end = raw.find(raw[0], 1);
      if (end == std::string_view::npos || end + 1 != raw.size() || raw.find('\\') != std::string_view::npos)
        return unreadable(number, "a quoted value of a kind that weir does not read");
      value = {value.from + 1, end - 1};
    } else {
      // SECURITY: G2. npm reads `\;` as a character of the value; a secret with one would be cut too short.
      if (raw.find('\\') != std::string_view::npos) return unreadable(number, "a value with a backslash, which weir does not read");
      value.size = std::min(raw.find_first_of(";#"), raw.size());
      value = trimmed(text, value);
    }
    const auto colon = key.starts_with("//") ? key.rfind(':') : std::string::npos;
    if (colon != std::string::npos) return values.add(number, {key.substr(0, colon), key.substr(colon + 1)}, value);
    if (key.ends_with("[]")) key += std::to_string(++lists);
    return values.add(number, {std::move(key)}, value);
  });
  if (!done) return std::unexpected(done.error());
  return values.take();
}

}  // namespace weir::launch
