// Policy files: YAML to Document, with errors that say where and how to mend.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/embedded_file.h"
#include "policy/document.h"

namespace weir::policy {

struct Diagnostic {
  enum class Severity { error, warning } severity = Severity::error;
  Place place;
  std::string message;  // "unknown key `method`"
  std::string hint;     // "did you mean `methods`?"; may be empty
  std::string source_line;
};

// "file:3:5: error: unknown key `method`\n    method: GET\n    ^\n  did you mean `methods`?"
std::string format(const Diagnostic& diagnostic);

struct Loaded {
  Document document;                    // meaningful when there is no error
  std::vector<Diagnostic> diagnostics;  // all of the file's, in order of place
  bool ok() const;                      // no diagnostic of severity error
};

// Parses a policy. `file` is used for messages and for resolving relative paths in it (ca_file, file:).
Loaded load_text(std::string_view text, const std::string& file);
Loaded load_file(const std::string& file);

// The presets that are compiled in (policy/presets/*.yaml).
std::span<const EmbeddedFile> presets();

}  // namespace weir::policy
