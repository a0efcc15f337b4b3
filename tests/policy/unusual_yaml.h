// The same YAML written by someone with odd habits: comments everywhere, blank lines, quotes, other indentation, CRLF.
#pragma once

#include <string>
#include <vector>

#include "base/text.h"
#include "random_documents.h"

namespace weir::policy {

// `text` is what to_yaml() writes.
inline std::string unusual_yaml(Dice& dice, const std::string& text) {
  int count = 0;
  const auto comment = [&] {
    constexpr const char* kTexts[] = {"", " why", " - name: x", "'", " \"", " [a, {", ": b # c", " é"};
    return "#" + std::to_string(++count) + dice.pick(kTexts);
  };
  const std::string line_end = dice.one_in(4) ? "\r\n" : "\n";
  const bool wide = dice.one_in(3);  // four spaces for a level; items keep their dash with their first key
  std::string out;
  for (const auto view : split(text, '\n')) {
    std::string line(view);
    const auto spaces = std::min(line.find_first_not_of(' '), line.size());
    if (wide) line.insert(0, spaces, ' ');
    if (wide && line.substr(std::min(2 * spaces, line.size())).starts_with("- ")) line.insert(2 * spaces + 1, "  ");
    while (dice.one_in(6)) out += std::string(dice.below(9), ' ') + comment() + line_end;
    if (dice.one_in(6)) out += line_end;
    // A list or map within brackets may go on in the next line.
    const auto bracket = line.find(": [");
    if (bracket != std::string::npos && line.ends_with("]") && dice.one_in(3)) {
      const std::string indent(2 * spaces + 4, ' ');
      out += line.substr(0, bracket + 3) + (dice.one_in(2) ? " " + comment() : "") + line_end;
      if (dice.one_in(3)) out += comment() + line_end;
      line = indent + line.substr(bracket + 3);
      if (dice.one_in(2)) {
        line.pop_back();
        out += line + (dice.one_in(2) ? "  " + comment() : "") + line_end;
        if (dice.one_in(3)) out += indent + comment() + line_end;
        line = indent + "]";
      }
    }
    out += line;
    if (dice.one_in(5)) out += std::string(1 + dice.below(3), ' ') + comment();
    out += line_end;
  }
  return out;
}

}  // namespace weir::policy
