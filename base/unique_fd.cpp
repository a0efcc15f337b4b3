#include "base/unique_fd.h"

#include <unistd.h>

namespace weir {

void UniqueFd::reset(int fd) {
  // close() is not retried on EINTR: on Linux the descriptor is gone all the same (close(2), NOTES).
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

}  // namespace weir
