// Policy files: YAML to Document, with errors that say where and how to mend.
#pragma once

#include <functional>
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

// Gives the text of a preset that depends on this host ("npm": where npm gets its packages here); see host_presets().
using HostPreset = std::function<Result<std::string>(std::string_view name)>;

// The names of presets that a HostPreset must know: npm, pip, cargo, go, apt.
std::span<const std::string_view> host_presets();

// Parses a policy. Without `host_preset`, using one of host_presets() is an error. `file` is used for messages and for resolving relative paths in it (ca_file, file:).
Loaded load_text(std::string_view text, const std::string& file, const HostPreset& host_preset = {});
Loaded load_file(const std::string& file, const HostPreset& host_preset = {});

// The presets that are compiled in (policy/presets/*.yaml).
std::span<const EmbeddedFile> presets();

}  // namespace weir::policy
