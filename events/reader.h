// Reading sessions back: the newest session, its events in order, following a live one, verifying the chain.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weir::events {

struct SessionEntry {
  std::string id;
  std::int64_t started_us = 0;  // from the first event
};

// Newest first. A root that does not exist is an empty list.
Result<std::vector<SessionEntry>> list_sessions(const std::string& root);

// Reads lines in order across segments. next() gives one complete line without its newline; nullopt-like empty
// Result with code "end" when there is no further complete line now (call again later to follow).
class LineReader {
 public:
  explicit LineReader(std::string session_directory);
  ~LineReader();
  LineReader(LineReader&&) noexcept;
  Result<std::string> next();
  unsigned segment() const;  // the number of the segment that the last line was in

 private:
  struct State;
  State* state_;
};

struct Verification {
  bool ok = false;
  std::uint64_t events = 0;
  std::string problem;  // "line 17 of 00000001.jsonl: hash does not match"; empty when ok
};
Result<Verification> verify(const std::string& session_directory);

}  // namespace weir::events
