// Names and values from the files that people keep them in. Pure; the values go straight into Secrets.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/secret.h"

namespace weir::vault {

using NamedSecrets = std::vector<std::pair<std::string, Secret>>;

// NAME=VALUE lines as shells and dotenv read them: `export` before a name; comments; '…' as it stands; "…" with a backslash
// before n, r, t, a quote, a backslash, $ or ` (before any other character it is one of the value's own); both may go over
// lines, as PEM does. Without quotes the value ends at " #" or the line's end, and has no blanks at its ends. A byte order
// mark and the CR of CRLF line ends are taken away (also inside quotes). Nothing is expanded. A name that comes twice is an
// error. Errors
// ("vault_import_invalid") name the line, never a value, nor what stands where a name should be: it may be a piece of a
// value.
Result<NamedSecrets> parse_env(const Secret& text);

// One JSON object (RFC 8259) of strings. A byte order mark is taken away.
Result<NamedSecrets> parse_json(const Secret& text);

}  // namespace weir::vault
