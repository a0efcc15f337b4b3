#include "events/writer_lock.h"

#include <fcntl.h>

#include <cerrno>

#include "events/reader.h"

namespace weir::events {
namespace {

struct flock whole_file() {
  struct flock range{};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  return range;
}

}  // namespace

const char* store_error(int errno_value) {
  return errno_value == ENOSPC || errno_value == EDQUOT || errno_value == EFBIG ? "store_full" : "store_unwritable";
}

Result<UniqueFd> take_writer_lock(const std::string& session_directory) {
  const std::string path = session_directory + "/lock";
  UniqueFd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock) return fail_errno(store_error(errno), "cannot open " + path, errno);
  auto range = whole_file();
  if (fcntl(lock.get(), F_OFD_SETLK, &range) == 0) return lock;
  if (errno == EAGAIN || errno == EACCES)
    return fail("session_locked",
                "another process is writing to " + session_directory + "; a session has one writer at a time");
  return fail_errno("store_unwritable", "cannot lock " + path, errno);
}

bool has_writer(const std::string& session_directory) {
  const UniqueFd lock(::open((session_directory + "/lock").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  // Asking does not take the lock, so that a reader can never be in a writer's way.
  auto range = whole_file();
  return lock && fcntl(lock.get(), F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
}

}  // namespace weir::events
