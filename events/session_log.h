// The store of one session: JSON Lines in segments, appended by one writer (docs/events.md is the format).
// Events are staged with append() and become part of the record together with commit(): one write(2) for many events.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "events/event.h"

namespace weir::events {

struct LogOptions {
  std::uint64_t segment_bytes = 64ULL << 20;  // a new segment is begun once the open one is larger
};

class SessionLog {
 public:
  // Makes `root`/`session` (0700) and takes its writer lock. Fails with "store_full", "store_unwritable",
  // "session_exists" or, for a name that is not of letters, digits, "_" and "-", "session_name".
  static Result<SessionLog> create(const std::string& root, const std::string& session, LogOptions options = {});
  // Opens a session that exists, recovering: a half-written last line is cut off and a `stream.gap` event is
  // appended (already committed when this returns). Also fails with "session_missing", "session_locked" or
  // "store_unreadable".
  static Result<SessionLog> open(const std::string& root, const std::string& session, LogOptions options = {});
  SessionLog(SessionLog&&) noexcept;
  SessionLog& operator=(SessionLog&&) noexcept;
  ~SessionLog();

  // Stages one event; the seq it will have. `data` is a complete JSON object on one line (from append_json or a
  // JSON library); a newline in it throws. The key `sandbox` is left out when it is empty.
  std::uint64_t append(std::string_view type, std::string_view sandbox, std::string_view data);

  // Writes all staged events. On an error ("store_full", "store_unwritable") none of them is in the file (a partial
  // write is cut off again), they are dropped from the stage and their numbers are free again; a later commit may
  // succeed. SECURITY: G3.
  Result<void> commit();

  // When it succeeds, what was committed before the call is on the disk. May be called from another thread than
  // append/commit, which wait for it only at a rotation.
  Result<void> sync();

  std::uint64_t last_seq() const;  // committed
  const std::string& session() const;
  const std::string& directory() const;

 private:
  struct State;
  explicit SessionLog(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weir::events
