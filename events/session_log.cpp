#include "events/session_log.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <stdexcept>

#include "base/encoding.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/time.h"
#include "base/unique_fd.h"
#include "events/line_format.h"
#include "events/segment_name.h"

namespace weir::events {

struct SessionLog::State {
  std::string session;
  std::string directory;
  LogOptions options;
  UniqueFd lock;
  UniqueFd segment;
  std::atomic<int> segment_fd{-1};  // what sync() reads; the descriptors of closed segments were synced when they were closed
  std::atomic<bool> directory_synced{false};
  unsigned segment_number = 0;
  std::uint64_t segment_size = 0;
  std::uint64_t last_seq = 0;  // committed
  std::string last_hash = kFirstPrevious;
  std::uint64_t staged_seq = 0;
  std::string staged_hash = kFirstPrevious;
  std::string staged;
  LineHasher hasher;

  Result<void> open_segment(unsigned number, int extra_flags) {
    const std::string path = directory + "/" + segment_name(number);
    UniqueFd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | extra_flags, 0600));
    if (!fd) return fail_errno(errno == ENOSPC || errno == EDQUOT ? "store_full" : "store_unwritable", "cannot open " + path, errno);
    struct stat status {};
    if (fstat(fd.get(), &status) != 0) return fail_errno("store_unwritable", "cannot read " + path, errno);
    if (segment) (void)fdatasync(segment.get());
    segment = std::move(fd);
    segment_fd = segment.get();
    segment_number = number;
    segment_size = static_cast<std::uint64_t>(status.st_size);
    directory_synced = false;
    return {};
  }

  void sync_directory() const {
    const UniqueFd folder(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder) (void)fsync(folder.get());
  }

  Result<void> take_lock() {
    const std::string path = directory + "/lock";
    lock.reset(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!lock) return fail_errno(errno == ENOSPC ? "store_full" : "store_unwritable", "cannot open " + path, errno);
    if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return fail("session_locked", "another process is writing the session " + session);
    return {};
  }
};

SessionLog::SessionLog(std::unique_ptr<State> state) : state_(std::move(state)) {}
SessionLog::SessionLog(SessionLog&&) noexcept = default;
SessionLog& SessionLog::operator=(SessionLog&&) noexcept = default;
SessionLog::~SessionLog() = default;

Result<SessionLog> SessionLog::create(const std::string& root, const std::string& session, LogOptions options) {
  auto state = std::make_unique<State>();
  state->session = session;
  state->directory = root + "/" + session;
  state->options = options;
  if (auto made = make_directories(root, 0700); !made) return std::unexpected(made.error());
  if (::mkdir(state->directory.c_str(), 0700) != 0)
    return fail_errno(errno == ENOSPC ? "store_full" : "store_unwritable", "cannot make the folder " + state->directory, errno);
  if (auto locked = state->take_lock(); !locked) return std::unexpected(locked.error());
  if (auto opened = state->open_segment(1, O_CREAT | O_EXCL); !opened) return std::unexpected(opened.error());
  return SessionLog(std::move(state));
}

Result<SessionLog> SessionLog::open(const std::string& root, const std::string& session, LogOptions options) {
  auto state = std::make_unique<State>();
  state->session = session;
  state->directory = root + "/" + session;
  state->options = options;
  const auto segments = list_segments(state->directory);
  if (segments.empty()) return fail("session_missing", "there is no session " + session + " in " + root);
  if (auto locked = state->take_lock(); !locked) return std::unexpected(locked.error());
  if (auto opened = state->open_segment(segments.back(), 0); !opened) return std::unexpected(opened.error());

  // Only the last line of the last segment can be incomplete: segments are complete when the next one is begun.
  const std::string path = state->directory + "/" + segment_name(segments.back());
  auto text = read_file(path, SIZE_MAX);
  if (!text) return std::unexpected(text.error());
  const auto complete = text->rfind('\n') + 1;  // npos + 1 is 0
  const std::size_t cut = text->size() - complete;
  if (cut > 0) {
    if (ftruncate(state->segment.get(), static_cast<off_t>(complete)) != 0) return fail_errno("store_unwritable", "cannot cut " + path, errno);
    state->segment_size = complete;
    text->resize(complete);
  }
  // The last line may be in the segment before, when the last one holds none.
  std::string last_line;
  for (auto at = segments.rbegin(); at != segments.rend() && last_line.empty(); ++at) {
    if (at != segments.rbegin()) {
      text = read_file(state->directory + "/" + segment_name(*at), SIZE_MAX);
      if (!text) return std::unexpected(text.error());
    }
    if (text->empty()) continue;
    const auto start = text->rfind('\n', text->size() - 2);
    last_line = text->substr(start == std::string::npos ? 0 : start + 1);
    last_line.pop_back();
  }
  std::string problem;
  if (!last_line.empty()) {
    const auto parts = read_line(last_line);
    if (!parts) {
      problem = "the last line is not an event";
      const auto seq = last_line.find("{\"seq\":");
      if (seq == 0) std::from_chars(last_line.data() + 7, last_line.data() + last_line.size(), state->last_seq);
      state->last_hash = sha256_label(last_line);
    } else {
      state->last_seq = parts->seq;
      state->last_hash = parts->hash;
      if (state->hasher.hash(parts->hashed) != parts->hash) problem = "the last line's hash does not match it";
    }
  }
  state->staged_seq = state->last_seq;
  state->staged_hash = state->last_hash;
  SessionLog log(std::move(state));
  if (cut > 0 || !problem.empty()) {
    log.append("stream.gap", {}, "{\"cut_bytes\":" + std::to_string(cut) + (problem.empty() ? "" : ",\"problem\":\"" + problem + "\"") + "}");
    if (auto written = log.commit(); !written) return std::unexpected(written.error());
  }
  return log;
}

std::uint64_t SessionLog::append(std::string_view type, std::string_view sandbox, std::string_view data) {
  State& state = *state_;
  const std::size_t begin = state.staged.size();
  std::string& out = state.staged;
  out += "{\"seq\":";
  char digits[24];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, ++state.staged_seq);
  out.append(digits, end);
  out.append(",\"id\":\"").append(make_id("evt")).append("\",\"ts\":\"").append(format_timestamp(wall_clock_us()));
  out.append("\",\"session\":\"").append(state.session).append("\"");
  if (!sandbox.empty()) out.append(",\"sandbox\":\"").append(sandbox).append("\"");
  out.append(",\"type\":\"").append(type).append("\",\"data\":").append(data);
  out.append(",\"prev\":\"").append(state.staged_hash).append("\"");
  state.staged_hash = state.hasher.hash(std::string_view(out).substr(begin));
  out.append(",\"hash\":\"").append(state.staged_hash).append("\"}\n");
  return state.staged_seq;
}

Result<void> SessionLog::commit() {
  State& state = *state_;
  if (state.staged.empty()) return {};
  const auto drop_stage = [&] {
    state.staged.clear();
    state.staged_seq = state.last_seq;
    state.staged_hash = state.last_hash;
  };
  if (state.segment_size > state.options.segment_bytes) {
    if (auto opened = state.open_segment(state.segment_number + 1, O_CREAT | O_EXCL); !opened) {
      drop_stage();
      return opened;
    }
  }
  std::size_t done = 0;
  while (done < state.staged.size()) {
    const ssize_t wrote = ::write(state.segment.get(), state.staged.data() + done, state.staged.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      const int why = errno;
      // SECURITY: G3, nothing half written stays: what is in the file is what was acknowledged.
      if (ftruncate(state.segment.get(), static_cast<off_t>(state.segment_size)) != 0)
        throw std::runtime_error("the event store holds a half-written line that cannot be cut off");
      drop_stage();
      return fail_errno(why == ENOSPC || why == EDQUOT || why == EFBIG ? "store_full" : "store_unwritable", "cannot write to " + state.directory, why);
    }
    done += static_cast<std::size_t>(wrote);
  }
  state.segment_size += state.staged.size();
  state.staged.clear();
  state.last_seq = state.staged_seq;
  state.last_hash = state.staged_hash;
  return {};
}

Result<void> SessionLog::sync() {
  if (!state_->directory_synced.exchange(true)) state_->sync_directory();
  if (fdatasync(state_->segment_fd.load()) != 0) return fail_errno("store_unwritable", "cannot sync " + state_->directory, errno);
  return {};
}

std::uint64_t SessionLog::last_seq() const { return state_->last_seq; }
const std::string& SessionLog::session() const { return state_->session; }
const std::string& SessionLog::directory() const { return state_->directory; }

}  // namespace weir::events
