#include "events/reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/ids.h"
#include "base/unique_fd.h"
#include "events/segment_name.h"

namespace weir::events {

Result<std::vector<SessionEntry>> list_sessions(const std::string& root) {
  std::vector<SessionEntry> sessions;
  std::error_code error;
  std::filesystem::directory_iterator entries(root, error);
  if (error == std::errc::no_such_file_or_directory) return sessions;
  if (error) return fail("store_unreadable", "cannot list " + root + ": " + error.message());
  for (const auto& entry : entries) {
    const std::string name = entry.path().filename();
    if (!is_id(name, "ses")) continue;
    // The identifier carries the time of its making: 48 bits of milliseconds (base/ids.h).
    static constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    std::int64_t ms = 0;
    for (const char c : name.substr(4, 10)) ms = ms * 32 + static_cast<std::int64_t>(kAlphabet.find(c));
    sessions.push_back({name, ms * 1000});
  }
  std::sort(sessions.begin(), sessions.end(), [](const auto& a, const auto& b) { return a.id > b.id; });
  return sessions;
}

struct LineReader::State {
  std::string directory;
  UniqueFd segment;
  unsigned number = 0;
  std::string buffer;
  std::size_t used = 0;
};

LineReader::LineReader(std::string session_directory) : state_(new State) { state_->directory = std::move(session_directory); }
LineReader::~LineReader() { delete state_; }
LineReader::LineReader(LineReader&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
unsigned LineReader::segment() const { return state_->number; }

Result<std::string> LineReader::next() {
  State& state = *state_;
  for (;;) {
    if (const auto end = state.buffer.find('\n', state.used); end != std::string::npos) {
      std::string line = state.buffer.substr(state.used, end - state.used);
      state.used = end + 1;
      return line;
    }
    state.buffer.erase(0, state.used);
    state.used = 0;
    if (state.segment) {
      char block[65536];
      const ssize_t got = ::read(state.segment.get(), block, sizeof block);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail_errno("store_unreadable", "cannot read " + state.directory, errno);
      if (got > 0) {
        state.buffer.append(block, static_cast<std::size_t>(got));
        continue;
      }
    }
    // This segment has no more now; it is over only when there is a next one.
    const std::string path = state.directory + "/" + segment_name(state.number + 1);
    UniqueFd following(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!following) return fail("end", "no further event");
    if (state.segment && state.buffer.empty()) {
      // It may have grown between the read and the open.
      char byte = 0;
      const ssize_t more = ::read(state.segment.get(), &byte, 1);
      if (more == 1) {
        state.buffer.push_back(byte);
        continue;
      }
    }
    if (!state.buffer.empty()) return fail("bad_segment", "segment " + segment_name(state.number) + " ends in the middle of a line");
    state.segment = std::move(following);
    ++state.number;
  }
}

}  // namespace weir::events
