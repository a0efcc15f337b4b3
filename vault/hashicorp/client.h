// One call of Vault's HTTP API, with its retries and its errors in words. Blocks; one call at a time. No redirect is
// followed: the token goes to the configured address only. What curl allocates is wiped when it is freed. SECURITY: G2.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"
#include "vault/server.h"

namespace weir::vault {

struct CallLimits {
  int attempts = 4;
  std::int64_t attempt_ms = 8'000, all_ms = 20'000;
  std::int64_t first_pause_ms = 150;  // doubled each time, with up to as much again at random
};

class VaultClient {
 public:
  explicit VaultClient(ServerSettings settings, CallLimits limits = {});
  VaultClient(VaultClient&&) noexcept;
  ~VaultClient();

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

  void cancel() { cancelled_->store(true); }  // from any thread, for good
  const ServerSettings& settings() const { return settings_; }

 private:
  struct Transfer;
  struct Answer;
  Answer attempt(const Call& call, std::int64_t milliseconds);
  ServerSettings settings_;
  CallLimits limits_;
  std::unique_ptr<Transfer> transfer_;
  std::unique_ptr<std::atomic<bool>> cancelled_;
  std::string index_;  // X-Vault-Index of what was last written: a later read is to see it
};

}  // namespace weir::vault
