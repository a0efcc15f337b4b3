// The open segment of a session: appended by one thread, synced by any.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/unique_fd.h"

namespace weir::events {

class SegmentFile {
 public:
  SegmentFile(std::string root, std::string session_directory)
      : root_(std::move(root)), directory_(std::move(session_directory)) {}

  Result<void> create(unsigned number);                                   // which must not be there, or be empty
  Result<void> open(unsigned number, std::uint64_t size, bool must_cut);  // cuts what stands behind `size`
  // Appends all of `bytes` or nothing. "store_full", "store_unwritable".
  Result<void> append(std::string_view bytes);
  // Syncs this segment, so that it is whole before there is another, and begins the next.
  Result<void> rotate();
  Result<void> sync();  // from any thread

  std::uint64_t size() const { return size_; }

 private:
  Result<void> cut_back();

  const std::string root_;
  const std::string directory_;
  unsigned number_ = 0;
  std::uint64_t size_ = 0;  // up to the end of the last whole commit
  bool torn_ = false;       // there may be bytes behind size_, which could not be cut off when they were written

  // A descriptor that is being synced must not be closed, nor its number be used again: only rotate() replaces it, under the
  // mutex. The appending thread reads it without, being the one that writes it.
  std::mutex mutex_;
  UniqueFd fd_;
  bool directory_is_new_ = false;  // a name was added that is not synced yet
};

}  // namespace weir::events
