// The value that is exchanged, as its source has it when an exchange needs it.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "vault/obtained.h"

namespace weir::vault {

// Blocks; one call at a time, but for cancel().
class BaseValue {
 public:
  using Read = std::function<Result<Obtained>()>;
  using Clock = std::function<std::int64_t()>;  // milliseconds
  // `again`: a value without an end is read anew each time (a file that another program keeps fresh), else once only (a program
  // without a `ttl`).
  BaseValue(Read read, bool again, Clock clock) : read_(std::move(read)), again_(again), clock_(std::move(clock)) {}

  // Good until the next call. What is lent is refreshed at two thirds of its life. `reload`: read anew where nothing is lent.
  Result<const Secret*> fresh(bool reload);

  void cancel();           // from any thread
  Result<void> release();  // what was lent is given back; fresh() begins anew

 private:
  Result<const Secret*> read();
  Result<const Secret*> refreshed();
  void begin(std::int64_t lasts_ms);

  Read read_;
  bool again_;
  Clock clock_;
  std::optional<Secret> value_;
  std::int64_t since_ = 0, lasts_ms_ = 0;
  std::mutex mutex_;  // for the pointer alone
  std::shared_ptr<Refresher> refresher_;
};

}  // namespace weir::vault
