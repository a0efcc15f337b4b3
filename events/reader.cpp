#include "events/reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/unique_fd.h"
#include "events/line_format.h"
#include "events/segment_name.h"

namespace weir::events {

struct LineReader::State {
  std::string directory;
  UniqueFd segment;
  unsigned number = 0;
  std::uint64_t position = 0;  // in the segment, of the buffer's first byte
  std::string buffer;
  std::size_t used = 0;     // given out
  std::size_t scanned = 0;  // without a newline

  Result<bool> read_more();
  Result<bool> next_segment();
  // Forgets what is not a whole line: it may be cut off again by a writer whose disk is full (SegmentFile::append), and
  // other bytes come to stand there.
  void forget_unfinished();
};

LineReader::LineReader(std::string session_directory) : state_(std::make_unique<State>()) {
  state_->directory = std::move(session_directory);
}
LineReader::~LineReader() = default;
LineReader::LineReader(LineReader&& other) noexcept = default;
unsigned LineReader::segment() const { return state_->number; }

std::uint64_t LineReader::unfinished() const {
  struct stat status{};
  if (!state_->segment || fstat(state_->segment.get(), &status) != 0) return 0;
  const auto size = static_cast<std::uint64_t>(status.st_size);
  return size > state_->position ? size - state_->position : 0;
}

void LineReader::State::forget_unfinished() {
  position += used;
  buffer.clear();
  used = scanned = 0;
}

// False at the segment's end as it is now.
Result<bool> LineReader::State::read_more() {
  static constexpr std::size_t kBlock = 128U << 10;
  if (!segment) return false;
  buffer.erase(0, used);
  position += used;
  scanned -= used;
  used = 0;
  const std::size_t have = buffer.size();
  buffer.resize(have + kBlock);
  ssize_t got = 0;
  do got = pread(segment.get(), buffer.data() + have, kBlock, static_cast<off_t>(position + have));
  while (got < 0 && errno == EINTR);
  const int why = errno;
  buffer.resize(have + static_cast<std::size_t>(got > 0 ? got : 0));
  if (got < 0) return fail_errno("store_unreadable", "cannot read " + directory + "/" + segment_name(number), why);
  return got > 0;
}

// False when there is none, or when this one grew meanwhile.
Result<bool> LineReader::State::next_segment() {
  const std::string path = directory + "/" + segment_name(number + 1);
  UniqueFd following(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!following && errno == ENOENT) return false;
  if (!following) return fail_errno("store_unreadable", "cannot open " + path, errno);
  // Now this one cannot grow any more, but it may have grown before the other was made.
  const auto more = read_more();
  if (!more || *more) return more;
  if (used != buffer.size()) {
    forget_unfinished();
    return fail("bad_segment", "the segment ends in the middle of a line, and there is another behind it");
  }
  segment = std::move(following);
  forget_unfinished();
  position = 0;
  ++number;
  return true;
}

Result<std::string> LineReader::next() {
  State& state = *state_;
  for (;;) {
    if (const auto end = state.buffer.find('\n', state.scanned); end != std::string::npos) {
      std::string line = state.buffer.substr(state.used, end - state.used);
      state.used = state.scanned = end + 1;
      return line;
    }
    state.scanned = state.buffer.size();
    if (state.scanned - state.used > kMaxLine) return fail("bad_segment", "the line is longer than any event");
    auto more = state.read_more();
    if (more && !*more) more = state.next_segment();
    if (!more) return std::unexpected(more.error());
    if (*more) continue;
    state.forget_unfinished();
    // What was read already may have been cut off again too: the writer goes on at the new end.
    struct stat status{};
    if (state.segment && fstat(state.segment.get(), &status) == 0 &&
        static_cast<std::uint64_t>(status.st_size) < state.position)
      state.position = static_cast<std::uint64_t>(status.st_size);
    return fail("end", "there is no further event now");
  }
}

}  // namespace weir::events
