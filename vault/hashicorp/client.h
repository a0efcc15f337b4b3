// One call of Vault's HTTP API, with its retries and its errors in words. Blocks; one call at a time. SECURITY: G2.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"
#include "vault/http/client.h"
#include "vault/server.h"

namespace weir::vault {

using CallLimits = http::Limits;

class VaultClient {
 public:
  explicit VaultClient(ServerSettings settings, CallLimits limits = {});

  struct Call {
    const char* method = "GET";
    std::string path;  // behind /v1/
    const Secret* token = nullptr;
    const Secret* body = nullptr;  // JSON
    bool repeatable = true;        // may be sent again after a time-out, when it may have been carried out
    CallLimits* limits = nullptr;  // others than usual
  };
  // The body of a 2xx answer; empty for 204. Errors: "vault_denied", "vault_not_found", "vault_invalid", "vault_refused";
  // and for what passes "vault_sealed", "vault_uninitialized", "vault_standby", "vault_busy", "vault_unreachable". Their
  // texts hold Vault's own errors, which name paths and never values.
  Result<Secret> call(const Call& call);

  void cancel() { http_.cancel(); }  // from any thread, for good
  const ServerSettings& settings() const { return settings_; }

 private:
  ServerSettings settings_;
  http::Client http_;
  std::string index_;  // X-Vault-Index of what was last written: a later read is to see it
};

}  // namespace weir::vault
