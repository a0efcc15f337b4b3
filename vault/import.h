// Names and values from the files that people keep them in. Pure; the values go straight into Secrets.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/secret.h"

namespace weir::vault {

using NamedSecrets = std::vector<std::pair<std::string, Secret>>;

// NAME=VALUE lines as shells and dotenv read them: `export` before a name, comments, '…' literal, "…" with \n \t \r \"
// \\ \$. Nothing is expanded. A quoted value may not go over the line's end. Errors name the line, never a value.
Result<NamedSecrets> parse_env(const Secret& text);

// One JSON object of strings.
Result<NamedSecrets> parse_json(const Secret& text);

}  // namespace weir::vault
