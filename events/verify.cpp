#include <nlohmann/json.hpp>

#include "events/event.h"
#include "events/line_format.h"
#include "events/reader.h"
#include "events/segment_name.h"

namespace weir::events {
namespace {

using nlohmann::json;

// What is wrong with a line as JSON, or nothing. Which keys there are, and in which order, is part of the format: a second
// `data` would read one way here and another way elsewhere.
std::string problem_in(const std::string& line, const std::string& session, std::string& type) {
  std::string keys;
  const json event = json::parse(
      line,
      [&keys](int depth, json::parse_event_t what, json& value) {
        if (what == json::parse_event_t::key && depth == 1) keys += value.get<std::string>() + " ";
        return true;
      },
      false);
  if (event.is_discarded() || !event.is_object()) return "it is not a JSON object";
  if (keys != "seq id ts session type data prev hash " && keys != "seq id ts session sandbox type data prev hash ")
    return "its keys are not those of an event";
  for (const char* key : {"id", "ts", "session", "type", "prev", "hash"})
    if (!event[key].is_string()) return std::string(key) + " is not a string";
  if (!event["data"].is_object()) return "data is not an object";
  type = event["type"].get<std::string>();
  if (!is_event_type(type)) return "its type is not {domain}.{action}";
  if (event["session"] != session) return "it belongs to another session, " + event["session"].get<std::string>();
  return {};
}

// The chain as it was read so far.
class Chain {
 public:
  // What is wrong with the next line, or nothing.
  std::string add(const std::string& line) {
    const auto parts = read_line(line);
    if (!parts) return "it is not an event";
    if (parts->seq != seq_ + 1) return "its seq is " + std::to_string(parts->seq) + ", not " + std::to_string(seq_ + 1);
    if (parts->prev != previous_) return "its prev is not the hash of the line before";
    if (hasher_.hash(parts->hashed) != parts->hash) return "its hash does not match";
    previous_ = parts->hash;
    ++seq_;
    return {};
  }

 private:
  std::uint64_t seq_ = 0;
  std::string previous_{kFirstPrevious};
  LineHasher hasher_;
};

}  // namespace

Result<Verification> verify(const std::string& session_directory) {
  Verification verification;
  const auto segments = list_segments(session_directory);
  if (segments.empty()) return fail("session_missing", "there is no session in " + session_directory);
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (segments[i] == i + 1) continue;
    verification.problem = "line 1 of " + segment_name(static_cast<unsigned>(i) + 1) + ": the file is missing";
    return verification;
  }
  const auto slash = session_directory.find_last_not_of('/');
  const std::string trimmed = session_directory.substr(0, slash + 1);
  const std::string session = trimmed.substr(trimmed.rfind('/') + 1);
  // Asked first: what a writer adds or cuts while this reads is not damage.
  verification.live = has_writer(session_directory);
  LineReader reader(session_directory);
  Chain chain;
  std::string type;
  std::uint64_t number = 0;  // of the line in its segment
  for (unsigned segment = 0;;) {
    const auto line = reader.next();
    if (!line && line.error().code == "end") break;
    if (!line && line.error().code != "bad_segment") return std::unexpected(line.error());
    number = reader.segment() == segment ? number + 1 : 1;
    segment = reader.segment();
    std::string problem = line ? chain.add(*line) : line.error().message;
    if (problem.empty()) problem = problem_in(*line, session, type);
    if (!problem.empty()) {
      verification.problem = "line " + std::to_string(number) + " of " + segment_name(segment) + ": " + problem;
      return verification;
    }
    ++verification.events;
  }
  if (const auto rest = reader.unfinished(); rest > 0 && !verification.live && !has_writer(session_directory)) {
    verification.problem = "line " + std::to_string(number + 1) + " of " + segment_name(reader.segment()) +
                           ": it is not complete (" + std::to_string(rest) + " bytes without a newline)";
    return verification;
  }
  verification.ended = type == "session.ended";
  verification.ok = true;
  return verification;
}

}  // namespace weir::events
