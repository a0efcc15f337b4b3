// Reading sessions back: the newest session, its events in order, following a live one, verifying the chain.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"

namespace weir::events {

struct SessionEntry {
  std::string id;
  std::int64_t started_us = 0;  // from its name, where that carries the time (base/ids.h), else from its first event
};

// Newest first. A root that does not exist is an empty list. Folders that hold no segment are no sessions.
Result<std::vector<SessionEntry>> list_sessions(const std::string& root);

// Whether some process is writing to the session now.
bool has_writer(const std::string& session_directory);

// Reads lines in order across segments. next() gives one complete line without its newline. Errors: "end" when there is
// no further complete line now (call again later to follow), "bad_segment" when a segment before the last ends in half a
// line or a line is too long for an event, "store_unreadable".
class LineReader {
 public:
  explicit LineReader(std::string session_directory);
  ~LineReader();
  LineReader(LineReader&&) noexcept;
  Result<std::string> next();
  unsigned segment() const;          // the number of the segment that the last line was in; 0 before the first
  std::uint64_t unfinished() const;  // at the end: how many bytes of a line without its newline stand there

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct Verification {
  bool ok = false;
  bool ended = false;        // the last event is session.ended
  bool live = false;         // a process is writing to it: there may be more by now
  std::uint64_t events = 0;  // whole ones, before the first problem
  std::string problem;       // "line 17 of 00000001.jsonl: its hash does not match"; empty when ok
};
Result<Verification> verify(const std::string& session_directory);

}  // namespace weir::events
