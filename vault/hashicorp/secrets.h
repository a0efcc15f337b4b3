// Secrets of one Vault: read, kept alive, given back. All of it blocks and may be called from several threads, which take
// turns.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "vault/hashicorp/client.h"
#include "vault/hashicorp/login.h"
#include "vault/hashicorp/reference.h"
#include "vault/obtained.h"
#include "vault/purpose.h"

namespace weir::vault {

inline constexpr std::int64_t kUnleasedMs =
    15 * 60 * 1000;  // how long a value without a lease serves before it is read again

class VaultSecrets : public std::enable_shared_from_this<VaultSecrets> {
 public:
  explicit VaultSecrets(ServerSettings settings, CallLimits limits = {}) : client_(std::move(settings), limits) {}
  VaultSecrets(const VaultSecrets&) = delete;
  VaultSecrets& operator=(const VaultSecrets&) = delete;
  ~VaultSecrets();  // gives back what is still lent, within two seconds

  // `ttl_ms` 0: the lease's time, or kUnleasedMs where there is none. Fields of one leased secret share its lease.
  Result<Obtained> obtain(const Reference& reference, std::int64_t ttl_ms, Purpose purpose = Purpose::text);

  void cancel() { client_.cancel(); }  // from any thread: no more waiting

 private:
  struct Lease {  // of a dynamic secret
    Secret body;
    std::string id;
    bool renewable = false;
    std::int64_t ends = 0, lasts_ms = 0;  // by now_ms()
    int users = 0;
    std::uint64_t version = 0;  // of the body
  };
  struct Mount {
    std::string path, type;
    bool v2 = false;
    bool known = false;
  };
  class Field;

  Result<void> ensure_token();
  Result<Secret> call(VaultClient::Call call);
  Mount mount_of(const std::string& path);
  Result<Secret> read(const Reference& reference, bool& v2);
  struct Wish {
    Reference reference;
    std::string key;  // of leases_
    std::int64_t ttl_ms = 0;
    Purpose purpose = Purpose::text;
  };
  struct Taken {
    Secret value;
    std::int64_t lasts_ms = 0;
    std::uint64_t version = 0;  // of the lease's body; 0: there is no lease
  };
  Result<Taken> take(const Wish& wish);
  Result<Obtained> obtain(const Wish& wish);
  Result<Refreshed> refresh(const Wish& wish, std::uint64_t& version);
  Result<Refreshed> refresh_now(const Wish& wish, std::uint64_t& version);
  template <class T>
  Result<T> in_turn(const std::function<Result<T>()>& call);
  Result<void> renew(Lease& lease);
  Result<void> give_back(const std::string& key);
  Result<void> revoke(Lease& lease);
  std::int64_t lasts(const Lease& lease, std::int64_t ttl_ms) const;

  std::mutex mutex_;
  std::int64_t away_at_ = 0;  // when a call last found Vault away
  Error away_;
  VaultClient client_;
  std::unique_ptr<Token> token_;
  std::map<std::string, Mount> mounts_;
  std::map<std::string, std::unique_ptr<Lease>> leases_;  // by the reference without its field
  std::uint64_t versions_ = 0;
};

}  // namespace weir::vault
