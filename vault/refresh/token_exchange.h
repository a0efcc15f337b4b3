// The token that one value is exchanged for, kept fresh for all who use it: one call at a time, and a refresh token that its service
// replaces is not lost. Blocks; may be called from several threads, which take turns.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "vault/obtained.h"
#include "vault/purpose.h"
#include "vault/refresh/base_value.h"
#include "vault/refresh/exchange.h"

namespace weir::vault {

inline constexpr std::int64_t kUnsaidMs = 15 * 60 * 1000;  // how long a token serves whose service does not say

class TokenExchange : public std::enable_shared_from_this<TokenExchange> {
 public:
  using Keep = std::function<Result<void>(const Secret&)>;  // writes a refresh token to where it came from
  struct Parts {
    RefreshSettings settings;
    Purpose purpose = Purpose::text;  // of the token
    std::string source;               // what the value came from, for texts
    std::unique_ptr<BaseValue> base;
    std::unique_ptr<BaseValue> client_secret;  // null: none
    Keep keep;                                 // not set: it cannot be written back
    BaseValue::Clock clock;
  };
  explicit TokenExchange(Parts parts);
  TokenExchange(const TokenExchange&) = delete;
  TokenExchange& operator=(const TokenExchange&) = delete;

  // A token that has at least half its life before it: the one that is there, if it came of the same value, else a new one.
  Result<Obtained> obtain();

 private:
  class Use;
  struct Token {
    Secret value;
    std::int64_t ends = 0, lasts_ms = 0;  // by the clock
    std::string made_of;                  // a hash
  };
  struct Inputs {
    const Secret* base;
    const Secret* client_secret;
    std::string hash;  // of both, as their sources have them
  };
  Result<Inputs> inputs(bool reload);
  Result<void> renew(const Inputs& given);
  Result<Exchanged> once_more(const Inputs& given, Result<Exchanged> denied);
  Result<void> take(Exchanged exchanged, std::string made_of);
  void keep_refresh_token(Secret next, const Inputs& given);
  bool is_young() const;
  std::int64_t left_ms() const;
  Result<Refreshed> refresh(std::uint64_t& version);
  Result<void> release();
  void cancel();

  Parts parts_;
  http::Client client_;
  std::mutex mutex_;
  std::optional<Token> token_;
  std::uint64_t version_ = 0;
  int users_ = 0;
  std::optional<Secret> replaced_;  // the refresh token that serves instead of the one that the source has
  std::string replaced_for_;        // its source's hash then: another value there goes before it
  bool noted_ = false;
  std::string note_;
  Secret none_;
};

}  // namespace weir::vault
