#include "vault/store/write_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "base/file.h"
#include "vault/store/place.h"

namespace weir::vault::store {

Result<UniqueFd> take_write_lock(const std::string& store_file) {
  if (auto made = make_directories(folder_of(store_file), 0700); !made) return std::unexpected(made.error());
  const std::string path = store_file + ".lock";
  UniqueFd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock) return fail_errno("file_unwritable", "cannot open " + path, errno);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return fail_errno("file_unwritable", "cannot lock " + path, errno);
    if (std::chrono::steady_clock::now() > deadline)
      return fail("vault_busy", "another weir has been writing to the vault for ten seconds; try again when it is done");
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return lock;
}

}  // namespace weir::vault::store
