// Where a passphrase comes from.
#pragma once

#include <functional>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"

namespace weir::vault {

using PassphraseReader = std::function<Result<Secret>()>;

// The content of the file that $WEIR_VAULT_PASSPHRASE_FILE names (0600). "vault_locked" when the variable is not set.
Result<Secret> passphrase_from_file();

// passphrase_from_file(), and where the variable is not set, a question on the terminal.
Result<Secret> passphrase_from_file_or_terminal();

// One line from the controlling terminal, whatever standard input is, not echoed. "no_terminal", "cancelled" (^C, ^D).
Result<Secret> ask_on_terminal(std::string_view question);

}  // namespace weir::vault
