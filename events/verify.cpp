#include <map>
#include <nlohmann/json.hpp>

#include "events/line_format.h"
#include "events/reader.h"
#include "events/segment_name.h"

namespace weir::events {

Result<Verification> verify(const std::string& session_directory) {
  Verification verification;
  if (list_segments(session_directory).empty()) return fail("session_missing", "there is no session in " + session_directory);
  const std::string session = session_directory.substr(session_directory.find_last_of('/') + 1);
  LineReader reader(session_directory);
  LineHasher hasher;
  std::string previous = kFirstPrevious;
  std::map<unsigned, std::uint64_t> line_in_segment;
  for (;;) {
    const auto line = reader.next();
    if (!line && line.error().code == "end") break;
    if (!line && line.error().code != "bad_segment") return std::unexpected(line.error());
    const std::uint64_t number = ++line_in_segment[reader.segment()];
    const auto bad = [&](const std::string& what) {
      verification.problem = "line " + std::to_string(number) + " of " + segment_name(reader.segment()) + ": " + what;
      return verification;
    };
    if (!line) return bad(line.error().message);
    const auto parts = read_line(*line);
    if (!parts) return bad("it is not an event");
    // After a crash that damaged the last line, `stream.gap` goes on from that line as it stands (docs/events.md).
    if (parts->seq != verification.events + 1) return bad("seq is " + std::to_string(parts->seq) + ", not " + std::to_string(verification.events + 1));
    if (parts->prev != previous) return bad("prev is not the hash of the line before");
    if (hasher.hash(parts->hashed) != parts->hash) return bad("hash does not match");
    const auto parsed = nlohmann::json::parse(*line, nullptr, false);
    if (parsed.is_discarded() || !parsed.is_object()) return bad("it is not JSON");
    if (parsed.value("session", "") != session) return bad("it belongs to the session " + parsed.value("session", ""));
    previous = parts->hash;
    ++verification.events;
  }
  verification.ok = true;
  return verification;
}

}  // namespace weir::events
