#include "events/session_log.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <stdexcept>

#include "base/file.h"
#include "base/time.h"
#include "events/json_text.h"
#include "events/line_format.h"
#include "events/segment_file.h"
#include "events/segment_name.h"
#include "events/stamp.h"
#include "events/tail.h"
#include "events/writer_lock.h"

namespace weir::events {
namespace {

constexpr std::size_t kMaxName = 64;
// Beyond this, memory that one large commit took is given back.
constexpr std::size_t kStageKept = 4U << 20;

// SECURITY: G5, a session's name becomes a path and stands in every line.
bool is_session_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

}  // namespace

struct SessionLog::State {
  State(const std::string& root, const std::string& name, LogOptions chosen)
      : session(name), directory(root + "/" + name), options(chosen), segment(root, directory) {}

  const std::string session;
  const std::string directory;
  const LogOptions options;
  UniqueFd lock;
  SegmentFile segment;

  std::uint64_t last_seq = 0;  // committed, as is last_hash
  std::string last_hash{kFirstPrevious};
  std::uint64_t staged_seq = 0;
  std::string staged_hash{kFirstPrevious};
  std::string staged;  // whole lines
  LineHasher hasher;
  EventIds ids;
  Timestamps timestamps;

  void drop_stage() {
    staged.clear();
    staged_seq = last_seq;
    staged_hash = last_hash;
  }
};

SessionLog::SessionLog(std::unique_ptr<State> state) : state_(std::move(state)) {}
SessionLog::SessionLog(SessionLog&&) noexcept = default;
SessionLog& SessionLog::operator=(SessionLog&&) noexcept = default;
SessionLog::~SessionLog() = default;

Result<SessionLog> SessionLog::create(const std::string& root, const std::string& session, LogOptions options) {
  if (!is_session_name(session))
    return fail("session_name", "a session's name is of letters, digits, `_` and `-`, at most 64");
  auto state = std::make_unique<State>(root, session, options);
  if (auto made = make_directories(root, 0700); !made) return fail("store_unwritable", made.error().message);
  if (::mkdir(state->directory.c_str(), 0700) != 0) {
    if (errno == EEXIST) return fail("session_exists", "there is a session " + session + " in " + root + " already");
    return fail_errno(store_error(errno), "cannot make the folder " + state->directory, errno);
  }
  const auto undo = [&state](Error error) -> Result<SessionLog> {
    for (const auto& name : {std::string("lock"), segment_name(1)}) ::unlink((state->directory + "/" + name).c_str());
    ::rmdir(state->directory.c_str());
    return std::unexpected(std::move(error));
  };
  auto lock = take_writer_lock(state->directory);
  if (!lock) return undo(lock.error());
  state->lock = std::move(*lock);
  if (auto made = state->segment.create(1); !made) return undo(made.error());
  return SessionLog(std::move(state));
}

Result<SessionLog> SessionLog::open(const std::string& root, const std::string& session, LogOptions options) {
  const auto missing = [&] { return fail("session_missing", "there is no session " + session + " in " + root); };
  if (!is_session_name(session))
    return fail("session_name", "a session's name is of letters, digits, `_` and `-`, at most 64");
  auto state = std::make_unique<State>(root, session, options);
  if (list_segments(state->directory).empty()) return missing();
  auto lock = take_writer_lock(state->directory);
  if (!lock) return std::unexpected(lock.error());
  state->lock = std::move(*lock);
  // Only now is it sure that nobody adds to them.
  const auto segments = list_segments(state->directory);
  if (segments.empty()) return missing();
  const auto tail = read_tail(state->directory, segments);
  if (!tail) return std::unexpected(tail.error());
  if (auto opened = state->segment.open(segments.back(), tail->whole_size, tail->cut > 0); !opened)
    return std::unexpected(opened.error());
  state->last_seq = tail->seq;
  state->last_hash = tail->hash;
  state->drop_stage();

  SessionLog log(std::move(state));
  if (tail->cut > 0 || !tail->problem.empty()) {
    Fields found;
    found.number("cut_bytes", static_cast<std::int64_t>(tail->cut));
    if (!tail->problem.empty()) found.text("problem", tail->problem);
    std::string data;
    if (auto written = append_json(found.bytes(), data); !written) return std::unexpected(written.error());
    log.append("stream.gap", {}, data);
    if (auto written = log.commit(); !written) return std::unexpected(written.error());
  }
  return log;
}

std::uint64_t SessionLog::append(std::string_view type, std::string_view sandbox, std::string_view data) {
  State& state = *state_;
  if (!is_event_type(type)) throw std::invalid_argument("an event's type is {domain}.{action}");
  // SECURITY: G3, a line cannot be two, whoever made its data.
  if (data.find('\n') != std::string_view::npos || !data.starts_with('{') || !data.ends_with('}') ||
      data.size() > kMaxLine / 2)
    throw std::invalid_argument("an event's data is not a JSON object on one line");
  const std::int64_t now = wall_clock_us();
  const std::size_t begin = state.staged.size();
  std::string& out = state.staged;
  char digits[24];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, state.staged_seq + 1);
  out.append("{\"seq\":").append(digits, end).append(",\"id\":\"");
  state.ids.append(out, now);
  out.append("\",\"ts\":\"");
  state.timestamps.append(out, now);
  out.append("\",\"session\":\"").append(state.session).push_back('"');
  if (!sandbox.empty()) {
    out.append(",\"sandbox\":");
    append_json_string(out, sandbox, kMaxName);
  }
  out.append(",\"type\":\"").append(type).append("\",\"data\":").append(data);
  out.append(",\"prev\":\"").append(state.staged_hash).push_back('"');
  state.staged_hash = state.hasher.hash(std::string_view(out).substr(begin));
  out.append(",\"hash\":\"").append(state.staged_hash).append("\"}\n");
  return ++state.staged_seq;
}

Result<void> SessionLog::commit() {
  State& state = *state_;
  if (state.staged.empty()) return {};
  Result<void> written;
  if (state.segment.size() > state.options.segment_bytes) written = state.segment.rotate();
  if (written) written = state.segment.append(state.staged);
  if (!written) {
    state.drop_stage();
    return written;
  }
  state.staged.clear();
  if (state.staged.capacity() > kStageKept) state.staged.shrink_to_fit();
  state.last_seq = state.staged_seq;
  state.last_hash = state.staged_hash;
  return {};
}

Result<void> SessionLog::sync() { return state_->segment.sync(); }

std::uint64_t SessionLog::last_seq() const { return state_->last_seq; }
const std::string& SessionLog::session() const { return state_->session; }
const std::string& SessionLog::directory() const { return state_->directory; }

}  // namespace weir::events
