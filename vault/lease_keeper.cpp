#include "vault/lease_keeper.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace weir::vault {
namespace {

constexpr std::int64_t kFirstPauseMs = 500;
constexpr std::int64_t kLongestPauseMs = 30'000;
constexpr int kMostDoublings = 6;

}  // namespace

bool is_passing(const Error& error) {
  static constexpr std::array<std::string_view, 10> kPassing = {
      "vault_unreachable", "vault_sealed", "vault_busy",         "vault_uninitialized", "vault_standby",
      "exec_too_slow",     "refresh_busy", "refresh_unreachable", "refresh_refused",     "refresh_source"};
  return std::ranges::find(kPassing, error.code) != kPassing.end();
}

void LeaseKeeper::schedule(Held& held, std::int64_t lasts_ms) const {
  held.ends.reset();
  held.refresh_at.reset();
  if (lasts_ms <= 0) return;
  const std::int64_t now = clock_();
  held.ends = now + lasts_ms;
  held.refresh_at =
      now + std::max(lasts_ms * 2 / 3, kFirstPauseMs);  // a source that grants less and less is not asked in a frenzy
}

LeaseKeeper::Id LeaseKeeper::add(std::string name, Obtained obtained) {
  Held held;
  held.name = std::move(name);
  held.value = std::move(obtained.value);
  held.refresher = std::move(obtained.refresher);
  if (obtained.absent) {
    held.good = false;
    held.why = {"credential_absent", "there is none yet; it comes with the first login"};
  }
  schedule(held, obtained.lasts_ms);
  held_.emplace(++last_, std::move(held));
  return last_;
}

bool LeaseKeeper::put(Id id, Secret value) {
  const auto found = held_.find(id);
  if (found == held_.end()) return false;
  Held& held = found->second;
  const bool another = !held.good || held.value.reveal() != value.reveal();
  held.value = std::move(value);
  held.good = true;
  held.why = {};
  held.ends.reset();
  held.refresh_at.reset();
  return another;
}

std::shared_ptr<Refresher> LeaseKeeper::remove(Id id) {
  const auto found = held_.find(id);
  if (found == held_.end()) return nullptr;
  auto refresher = std::move(found->second.refresher);
  held_.erase(found);
  return refresher;
}

// The value is wiped with its end, not when somebody looks next. SECURITY: G4.
bool LeaseKeeper::lapse(Held& held) {
  if (!held.good || !held.ends || clock_() < *held.ends) return false;
  held.good = false;
  held.value = Secret();
  held.ends.reset();
  if (held.why.code.empty()) held.why = {"credential_expired", "its time is over and it could not be renewed"};
  return true;
}

Result<const Secret*> LeaseKeeper::value(Id id) {
  const auto found = held_.find(id);
  if (found == held_.end()) return fail("credential_unavailable", "it is no longer held");
  Held& held = found->second;
  lapse(held);
  if (held.good) return &held.value;
  return std::unexpected(held.why);
}

std::vector<LeaseKeeper::Job> LeaseKeeper::due() {
  std::vector<Job> jobs;
  const std::int64_t now = clock_();
  for (auto& [id, held] : held_) {
    if (held.out || held.refresher == nullptr || !held.refresh_at || now < *held.refresh_at) continue;
    held.out = true;
    jobs.push_back({id, held.refresher});
  }
  return jobs;
}

LeaseKeeper::Outcome LeaseKeeper::finished(Id id, Result<Refreshed> result) {
  const auto found = held_.find(id);
  if (found == held_.end()) return {};
  Held& held = found->second;
  held.out = false;
  Outcome outcome{Change::none, held.name, 0};
  if (result) {
    held.failures = 0;
    held.why = {};
    const bool was_good = held.good && !lapse(held);
    outcome.lasts_ms = result->lasts_ms;
    outcome.change = result->value ? Change::replaced : Change::renewed;
    if (result->value) {
      if (was_good && held.value.reveal() == result->value->reveal()) outcome.change = Change::renewed;
      held.value = std::move(*result->value);
      held.good = true;
      held.why = {};
    } else if (!was_good) {
      // Renewed, but its bytes are gone: it was not renewed in time. The next refresh is to bring it whole.
      held.refresh_at = clock_() + kFirstPauseMs;
      return outcome;
    }
    schedule(held, result->lasts_ms);
    return outcome;
  }
  held.why = result.error();
  outcome.change = Change::failed;
  if (lapse(held)) outcome.change = Change::lost;
  if (held.good && !is_passing(result.error())) {  // the source has answered, and the answer is no
    held.good = false;
    held.value = Secret();
    held.ends.reset();
    outcome.change = Change::lost;
  }
  const std::int64_t pause = std::min(kLongestPauseMs, kFirstPauseMs << std::min(held.failures++, kMostDoublings));
  held.refresh_at = clock_() + pause;
  return outcome;
}

std::vector<LeaseKeeper::Id> LeaseKeeper::expire() {
  std::vector<Id> lost;
  for (auto& [id, held] : held_)
    if (lapse(held)) lost.push_back(id);
  return lost;
}

std::optional<std::int64_t> LeaseKeeper::next() const {
  std::optional<std::int64_t> soonest;
  const auto consider = [&](const std::optional<std::int64_t>& when) {
    if (when && (!soonest || *when < *soonest)) soonest = when;
  };
  for (const auto& [id, held] : held_) {
    if (!held.out && held.refresher != nullptr) consider(held.refresh_at);
    if (held.good) consider(held.ends);
  }
  return soonest;
}

}  // namespace weir::vault
