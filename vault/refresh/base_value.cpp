#include "vault/refresh/base_value.h"

#include <utility>

namespace weir::vault {

void BaseValue::begin(std::int64_t lasts_ms) {
  since_ = clock_();
  lasts_ms_ = lasts_ms;
}

Result<const Secret*> BaseValue::read() {
  auto obtained = read_();
  if (!obtained) return std::unexpected(obtained.error());
  value_ = std::move(obtained->value);
  begin(obtained->lasts_ms);
  const std::lock_guard lock(mutex_);
  refresher_ = std::move(obtained->refresher);
  return &*value_;
}

Result<const Secret*> BaseValue::refreshed() {
  const std::int64_t age = clock_() - since_;
  if (lasts_ms_ == 0 || age < lasts_ms_ * 2 / 3) return &*value_;
  auto result = refresher_->refresh();
  if (!result) {
    if (is_passing(result.error()) && age < lasts_ms_) return &*value_;
    return std::unexpected(result.error());
  }
  if (result->value) value_ = std::move(*result->value);
  if (!result->value && age >= lasts_ms_) {  // renewed, but not in time
    (void)release();
    return read();
  }
  begin(result->lasts_ms);
  return &*value_;
}

Result<const Secret*> BaseValue::fresh(bool reload) {
  if (!value_) return read();
  if (refresher_ != nullptr) return refreshed();
  return again_ || reload ? read() : Result<const Secret*>(&*value_);
}

void BaseValue::cancel() {
  const std::lock_guard lock(mutex_);
  if (refresher_ != nullptr) refresher_->cancel();
}

Result<void> BaseValue::release() {
  value_.reset();
  std::shared_ptr<Refresher> lent;
  {
    const std::lock_guard lock(mutex_);
    lent = std::move(refresher_);
  }
  return lent == nullptr ? Result<void>{} : lent->release();
}

}  // namespace weir::vault
