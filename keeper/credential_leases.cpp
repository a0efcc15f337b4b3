#include "keeper/credential_leases.h"

#include <algorithm>
#include <memory>

#include "base/text.h"
#include "keeper/session.h"
#include "vault/clock.h"

namespace weir::keeper {
namespace {

constexpr std::int64_t kLongestSleepMs =
    10'000;  // the loop's clock stands still while the machine sleeps, a lease's does not

using vault::boot_clock_ms;

}  // namespace

struct CredentialLeases::Work {
  uv_work_t request{};
  CredentialLeases* leases = nullptr;
  vault::LeaseKeeper::Id id = 0;  // 0: it is given back
  std::string name;
  std::shared_ptr<vault::Refresher> refresher;
  Result<vault::Refreshed> result = vault::Refreshed{};
};

CredentialLeases::CredentialLeases(uv_loop_t* loop, Ports ports)
    : loop_(loop), ports_(std::move(ports)), keeper_(boot_clock_ms) {
  uv_timer_init(loop_, &timer_);
  timer_.data = this;
}

CredentialLeases::~CredentialLeases() { finish(); }

void CredentialLeases::take(std::uint32_t generation, const std::vector<policy::Credential>& credentials,
                            std::vector<vault::Obtained> values) {
  for (std::uint32_t i = 0; i < values.size(); ++i) {
    if (!values[i].note.empty()) say("credential `" + credentials[i].name + "`: " + values[i].note);
    const auto id = keeper_.add(credentials[i].name, std::move(values[i]));
    ids_[{generation, i}] = id;
    places_[id] = {{generation, i}, printable(credentials[i].from, 300)};
  }
  arm();
}

void CredentialLeases::put(std::uint32_t generation, std::uint32_t credential, Secret value) {
  const auto id = ids_.find({generation, credential});
  if (id == ids_.end() || !keeper_.put(id->second, std::move(value))) return;
  ports_.withdraw(generation, credential);
  arm();
}

void CredentialLeases::release(std::uint32_t generation) {
  const auto begin = ids_.lower_bound({generation, 0});
  const auto end = ids_.upper_bound({generation, UINT32_MAX});
  for (auto at = begin; at != end; ++at) {
    auto work = std::make_unique<Work>();
    work->name = places_.at(at->second).second;
    work->refresher = keeper_.remove(at->second);
    places_.erase(at->second);
    if (work->refresher != nullptr) start(std::move(work));
  }
  ids_.erase(begin, end);
}

void CredentialLeases::start(std::unique_ptr<Work> work) {
  work->leases = this;
  work->request.data = work.get();
  on_their_way_.push_back(work.get());
  uv_queue_work(
      loop_, &work.release()->request,
      [](uv_work_t* request) {
        auto& self = *static_cast<Work*>(request->data);
        if (self.id != 0) {
          self.result = self.refresher->refresh();
        } else if (auto given_back = self.refresher->release(); !given_back) {
          self.result = std::unexpected(given_back.error());
        }
      },
      [](uv_work_t* request, int status) {
        const std::unique_ptr<Work> self(static_cast<Work*>(request->data));
        std::erase(self->leases->on_their_way_, self.get());
        if (status == 0) self->leases->finished(*self);
      });
}

void CredentialLeases::note_failure(const std::string& name, const Error& error, bool lost) {
  ports_.record("vault.error", {{"path", name}, {"code", error.code}, {"reason", error.message}, {"usable", !lost}});
}

void CredentialLeases::finished(Work& work) {
  if (work.id == 0) {
    if (!work.result) note_failure(work.name, work.result.error(), false);
    return;
  }
  const auto place = places_.find(work.id);
  if (place == places_.end()) return;  // released meanwhile; its release waits behind this
  const auto [where, source] = place->second;
  const auto error = work.result ? Error{} : work.result.error();
  const std::string note = work.result ? work.result->note : "";
  const auto outcome = keeper_.finished(work.id, std::move(work.result));
  if (!note.empty()) say("credential `" + outcome.name + "`: " + note);
  using Change = vault::LeaseKeeper::Change;
  if (outcome.change == Change::replaced || outcome.change == Change::lost) ports_.withdraw(where.first, where.second);
  if (outcome.change == Change::failed || outcome.change == Change::lost)
    note_failure(source, error, !keeper_.value(work.id).has_value());
  else if (outcome.change != Change::none)
    ports_.record("vault.renewed", {{"path", source},
                                    {"credential", outcome.name},
                                    {"seconds", outcome.lasts_ms / 1000},
                                    {"new_value", outcome.change == Change::replaced}});
  arm();
}

void CredentialLeases::tick() {
  for (const auto id : keeper_.expire()) {
    const auto& [where, source] = places_.at(id);
    ports_.withdraw(where.first, where.second);
    note_failure(source, {"credential_expired", "its time is over and it could not be renewed"}, true);
  }
  for (auto& job : keeper_.due()) {
    auto work = std::make_unique<Work>();
    work->id = job.id;
    work->name = places_.at(job.id).second;
    work->refresher = std::move(job.refresher);
    start(std::move(work));
  }
  arm();
}

void CredentialLeases::arm() {
  const auto next = keeper_.next();
  if (!next) {
    uv_timer_stop(&timer_);
    return;
  }
  const auto wait = std::clamp<std::int64_t>(*next - boot_clock_ms(), 0, kLongestSleepMs);
  uv_update_time(loop_);
  uv_timer_start(
      &timer_, [](uv_timer_t* timer) { static_cast<CredentialLeases*>(timer->data)->tick(); },
      static_cast<std::uint64_t>(wait), 0);
}

void CredentialLeases::finish() {
  for (auto* work : on_their_way_)
    if (work->id != 0) work->refresher->cancel();
  std::vector<std::uint32_t> generations;
  for (const auto& [place, id] : ids_)
    if (generations.empty() || generations.back() != place.first) generations.push_back(place.first);
  for (const auto generation : generations) release(generation);
  uv_timer_stop(&timer_);
  while (!on_their_way_.empty()) uv_run(loop_, UV_RUN_ONCE);
}

}  // namespace weir::keeper
