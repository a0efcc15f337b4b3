// Which values are still good, and when to refresh which: at two thirds of their time. Pure: it has no clock and no thread
// of its own; whoever drives it runs due() refreshers somewhere and brings back what they gave. Single-threaded.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vault/obtained.h"

namespace weir::vault {

class LeaseKeeper {
 public:
  using Id = std::uint64_t;
  using Clock = std::function<std::int64_t()>;  // milliseconds, never back, and on through a suspended machine

  explicit LeaseKeeper(Clock clock) : clock_(std::move(clock)) {}

  Id add(std::string name, Obtained obtained);
  // A value from elsewhere, without an end, instead of the one that is there or is yet to come. Whether it is another.
  bool put(Id id, Secret value);
  // Its refresher, whose release() is the caller's to run.
  std::shared_ptr<Refresher> remove(Id id);

  // The value, or why there is none: it is past its end, or its source has refused it. SECURITY: G4.
  Result<const Secret*> value(Id id);

  struct Job {
    Id id;
    std::shared_ptr<Refresher> refresher;
  };
  std::vector<Job> due();  // each is out until finished() is called for it

  enum class Change { none, renewed, replaced, lost, failed };  // lost: was good until now
  struct Outcome {
    Change change = Change::none;
    std::string name;
    std::int64_t lasts_ms = 0;
  };
  Outcome finished(Id id, Result<Refreshed> result);

  // Takes away what is past its end now; those that were good until now.
  std::vector<Id> expire();

  // When due() or expire() has something next, in the clock's time.
  std::optional<std::int64_t> next() const;

 private:
  struct Held {
    std::string name;
    Secret value;
    std::shared_ptr<Refresher> refresher;
    std::optional<std::int64_t> ends, refresh_at;
    bool good = true;
    bool out = false;  // a refresh is on its way
    int failures = 0;
    Error why;  // the last error
  };
  void schedule(Held& held, std::int64_t lasts_ms) const;
  bool lapse(Held& held);

  Clock clock_;
  std::map<Id, Held> held_;
  Id last_ = 0;
};

}  // namespace weir::vault
