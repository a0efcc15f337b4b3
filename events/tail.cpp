#include "events/tail.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/encoding.h"
#include "base/unique_fd.h"
#include "events/line_format.h"
#include "events/segment_name.h"

namespace weir::events {
namespace {

// A crash damages the end of what was not synced. Where this many lines are no events, it was something else.
constexpr std::uint64_t kMaxUnreadable = 4096;

// A segment read from its end, line by line; a segment is large, and only its end matters.
class BackwardLines {
 public:
  static Result<BackwardLines> open(const std::string& path) {
    BackwardLines lines;
    lines.path_ = path;
    lines.fd_.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!lines.fd_) return fail_errno("store_unreadable", "cannot read " + path, errno);
    struct stat status{};
    if (fstat(lines.fd_.get(), &status) != 0) return fail_errno("store_unreadable", "cannot read " + path, errno);
    lines.end_ = static_cast<std::uint64_t>(status.st_size);
    return lines;
  }

  std::uint64_t end() const { return end_; }  // of what was not given yet

  // Steps back to just behind the newline before end() (or to 0), without giving what it steps over.
  Result<void> step_back() {
    char block[65536];
    while (end_ > 0) {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(end_, sizeof block));
      if (auto got = read_at(block, size, end_ - size); !got) return got;
      if (const void* newline = memrchr(block, '\n', size); newline != nullptr) {
        end_ -= size - static_cast<std::size_t>(static_cast<const char*>(newline) - block) - 1;
        return {};
      }
      end_ -= size;
    }
    return {};
  }

  // The bytes from the newline before end() to end(), which becomes where they begin.
  Result<std::string> take_rest() {
    const std::uint64_t until = end_;
    if (auto stepped = step_back(); !stepped) return std::unexpected(stepped.error());
    std::string rest(static_cast<std::size_t>(until - end_), '\0');
    if (auto got = read_at(rest.data(), rest.size(), end_); !got) return std::unexpected(got.error());
    return rest;
  }

  // The last complete line; end() stands behind its newline.
  Result<std::string> take_line() {
    --end_;
    return take_rest();
  }

 private:
  Result<void> read_at(char* into, std::size_t size, std::uint64_t offset) const {
    while (size > 0) {
      const ssize_t got = pread(fd_.get(), into, size, static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail_errno("store_unreadable", "cannot read " + path_, errno);
      if (got == 0) return fail("store_unreadable", path_ + " became shorter while it was read");
      into += got;
      size -= static_cast<std::size_t>(got);
      offset += static_cast<std::uint64_t>(got);
    }
    return {};
  }

  std::string path_;
  UniqueFd fd_;
  std::uint64_t end_ = 0;
};

// What is known of the end while going backwards. Lines that are no events count, each as one, so that every line keeps
// its place; what the next line's `prev` refers to is then the last one's bytes as they stand.
class Findings {
 public:
  Findings() { tail_.hash = kFirstPrevious; }

  // False when there are too many.
  bool unreadable(std::string_view bytes) {
    if (++unreadable_ == 1) tail_.hash = sha256_label(bytes);
    return unreadable_ <= kMaxUnreadable;
  }

  void readable(const LineParts& parts) {
    tail_.seq = parts.seq + unreadable_;
    if (unreadable_ > 0) return;
    tail_.hash = parts.hash;
    LineHasher hasher;
    if (hasher.hash(parts.hashed) != parts.hash) tail_.problem = "the last line's hash does not match it";
  }

  Tail take() {
    tail_.seq = std::max(tail_.seq, unreadable_);
    if (unreadable_ == 1) tail_.problem = "the last line is not an event";
    if (unreadable_ > 1) tail_.problem = "the last " + std::to_string(unreadable_) + " lines are not events";
    return std::move(tail_);
  }

  Tail& tail() { return tail_; }

 private:
  Tail tail_;
  std::uint64_t unreadable_ = 0;
};

}  // namespace

Result<Tail> read_tail(const std::string& session_directory, const std::vector<unsigned>& numbers) {
  Findings findings;
  for (auto number = numbers.rbegin(); number != numbers.rend(); ++number) {
    auto lines = BackwardLines::open(session_directory + "/" + segment_name(*number));
    if (!lines) return std::unexpected(lines.error());
    const std::uint64_t size = lines->end();
    if (auto stepped = lines->step_back(); !stepped) return std::unexpected(stepped.error());
    if (number == numbers.rbegin()) {
      findings.tail().whole_size = lines->end();
      findings.tail().cut = size - lines->end();
    } else if (lines->end() != size) {
      // Only the last segment can end in half a line: one is complete before the next is begun.
      (void)findings.unreadable(segment_name(*number));
    }
    while (lines->end() > 0) {
      const auto line = lines->take_line();
      if (!line) return std::unexpected(line.error());
      if (const auto parts = read_line(*line)) {
        findings.readable(*parts);
        return findings.take();
      }
      if (!findings.unreadable(*line))
        return fail("store_unreadable", "the last " + std::to_string(kMaxUnreadable) + " lines in " + session_directory +
                                            " are not events; begin a new session");
    }
  }
  return findings.take();
}

}  // namespace weir::events
