// What reads one credential.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "policy/document/check_credential.h"
#include "policy/loading/sections.h"

namespace weir::policy {

struct CredentialReader {
  Diagnostics& diagnostics;
  const std::string& file;
  Credential& credential;
  // Where the keys stand that may not go with others.
  std::optional<Spot> ttl{}, inject{}, substitute{}, refresh{}, insecure{};
};

using WordCheck = std::optional<Problem> (*)(std::string_view);

// A word that must pass `check`; what does not is reported and left out.
inline void read_checked(Diagnostics& diagnostics, const YamlNode& value, std::string_view what, WordCheck check, std::string& out) {
  auto word = read_text(diagnostics, value, what);
  if (!word) return;
  if (const auto problem = check(word->text))
    diagnostics.error(word->place, *problem);
  else
    out = std::move(word->text);
}

// A source as the Document has it: paths are absolute.
std::string resolve_source(std::string_view source, const std::string& file);

void read_inject(CredentialReader& reader, const YamlNode& key, const YamlNode& node);
void read_substitute(CredentialReader& reader, const YamlNode& key, const YamlNode& node);
void read_refresh(CredentialReader& reader, const YamlNode& key, const YamlNode& node);
Schema inject_schema();
Schema substitute_schema();
Schema refresh_schema();

}  // namespace weir::policy
