// Logging in to Vault by each of its methods, and the token that comes of it. Blocks.
#pragma once

#include <cstdint>
#include <optional>

#include "vault/hashicorp/client.h"

namespace weir::vault {

struct Token {
  Secret value;
  bool own = false;  // by a login: it is revoked at the end
  bool renewable = false;
  std::int64_t lasts_ms = 0;     // when it was had or last renewed; 0: no end known
  std::int64_t obtained_ms = 0;  // by the caller's clock
};

// The token of the settings, or a new one by their method. Errors as VaultClient::call() and of the files and variables.
Result<Token> log_in(VaultClient& client);

// lasts_ms after a renewal.
Result<std::int64_t> renew_token(VaultClient& client, const Token& token);

}  // namespace weir::vault
