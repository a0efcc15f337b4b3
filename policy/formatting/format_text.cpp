#include <algorithm>

#include "policy/formatting.h"
#include "policy/formatting/comments.h"
#include "policy/formatting/from_text.h"
#include "policy/formatting/layout.h"

namespace weir::policy {

namespace {

// What a preset of this host brings in is the same before and after, so it need not be known.
Result<std::string> any_host_preset(std::string_view) { return "version: 1\n"; }

Formatted refused(Diagnostics& diagnostics) { return {.text = {}, .diagnostics = diagnostics.take()}; }

std::vector<std::string> texts_of(const std::vector<Comment>& comments) {
  std::vector<std::string> texts;
  for (const auto& comment : comments) texts.push_back(comment.text);
  std::ranges::sort(texts);
  return texts;
}

bool same_but_for_places(Document a, Document b) {
  for (auto* document : {&a, &b}) {
    for (auto& rule : document->rules) rule.place = {};
    for (auto& credential : document->credentials) credential.place = {};
    for (auto& capture : document->oauth) capture.place = {};
  }
  return a == b;
}

bool says_the_same(const Loaded& before, const Scan& comments, const std::string& text, const std::string& file) {
  const auto after = load_text(text, file, any_host_preset);
  if (!after.ok() || !same_but_for_places(before.document, after.document)) return false;
  Diagnostics diagnostics(file, text);
  const auto tree = parse_yaml(text, diagnostics);
  const auto scan = scan_comments(text, Lines(text), *tree);
  return scan && texts_of(scan->comments) == texts_of(comments.comments);
}

}  // namespace

bool Formatted::ok() const {
  return std::ranges::none_of(diagnostics, [](const auto& d) { return d.severity == Diagnostic::Severity::error; });
}

Formatted format_text(std::string_view text, const std::string& file) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  auto loaded = load_text(text, file, any_host_preset);
  if (!loaded.ok()) return {.text = {}, .diagnostics = std::move(loaded.diagnostics)};

  Diagnostics diagnostics(file, text);
  const auto tree = parse_yaml(text, diagnostics);
  const Lines lines(text);
  const auto scan = scan_comments(text, lines, *tree);
  if (!scan) {
    auto place = lines.place_of(scan.error().offset);
    place.file = file;
    diagnostics.error(place, scan.error().message, scan.error().hint);
    return refused(diagnostics);
  }
  auto formatted = print(layout_of(*tree, lines, *scan));
  // Never trust a rewrite of what guards something: look at what came out.
  if (!says_the_same(loaded, *scan, formatted, file)) {
    diagnostics.error(diagnostics.whole_file(), "the file cannot be put into its usual form without losing something of it",
                      "write it with less unusual YAML");
    return refused(diagnostics);
  }
  return {.text = std::move(formatted), .diagnostics = {}};
}

}  // namespace weir::policy
