// Where a session's record ends, for a writer that goes on after a crash.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace weir::events {

struct Tail {
  std::uint64_t seq = 0;         // of the last complete line
  std::string hash;              // what the next line's `prev` must be
  std::uint64_t whole_size = 0;  // of the last segment, up to the end of its last complete line
  std::uint64_t cut = 0;         // how many bytes of a half-written line stand behind that
  std::string problem;           // what is wrong with the last complete line; empty when it is sound
};

// Reads the ends of the segments `numbers` (in order, not empty) and changes nothing.
Result<Tail> read_tail(const std::string& session_directory, const std::vector<unsigned>& numbers);

}  // namespace weir::events
