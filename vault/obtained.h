// A value as a source gave it, and how it is kept valid.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/secret.h"

namespace weir::vault {

struct Refreshed {
  std::optional<Secret> value;  // a new one; none: the old one goes on
  std::int64_t lasts_ms = 0;    // from now; 0: no end known
  std::string note{};           // something that the user should know, and no error; never a value
};

// Keeps one value valid. refresh() blocks on the network or on a program: call it in a worker thread, never two calls at a
// time. Errors for which is_passing() holds say nothing about the value: it serves until its end. After any other it is no
// longer good.
class Refresher {
 public:
  Refresher() = default;
  Refresher(const Refresher&) = delete;
  Refresher& operator=(const Refresher&) = delete;
  virtual ~Refresher() = default;
  virtual Result<Refreshed> refresh() = 0;
  virtual void cancel() {}  // from another thread: a refresh() on its way is to give up soon
  // Nobody uses the value any more: what was lent is given back. Errors are for the record.
  virtual Result<void> release() { return {}; }
};

struct Obtained {
  Secret value;
  std::int64_t lasts_ms = 0;               // from now; 0: no end known
  std::shared_ptr<Refresher> refresher{};  // null where lasts_ms is 0 and nothing was lent. Shared with a worker that runs it
  std::string note{};                      // as in Refreshed
  bool absent = false;                     // there is no value yet; one may come (LeaseKeeper::put)
};

// The source is away (unreachable, sealed, overloaded, too slow), which is no answer about the value.
bool is_passing(const Error& error);

}  // namespace weir::vault
