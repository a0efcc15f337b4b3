#include "events/segment_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "events/segment_name.h"
#include "events/writer_lock.h"

namespace weir::events {
namespace {

Result<void> sync_folder(const std::string& path) {
  const UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || fsync(folder.get()) != 0) return fail_errno(store_error(errno), "cannot sync the folder " + path, errno);
  return {};
}

}  // namespace

Result<void> SegmentFile::create(unsigned number) {
  const std::string path = directory_ + "/" + segment_name(number);
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return fail_errno(store_error(errno), "cannot make " + path, errno);
  struct stat status{};
  if (fstat(fd.get(), &status) != 0) return fail_errno("store_unwritable", "cannot read " + path, errno);
  if (status.st_size != 0) return fail("store_unwritable", path + " is there already, and holds events");
  const std::lock_guard lock(mutex_);
  fd_ = std::move(fd);
  directory_is_new_ = true;
  number_ = number;
  size_ = 0;
  return {};
}

Result<void> SegmentFile::open(unsigned number, std::uint64_t size, bool must_cut) {
  const std::string path = directory_ + "/" + segment_name(number);
  fd_.reset(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
  if (!fd_) return fail_errno(store_error(errno), "cannot open " + path, errno);
  number_ = number;
  size_ = size;
  torn_ = must_cut;
  return cut_back();
}

Result<void> SegmentFile::cut_back() {
  if (!torn_) return {};
  if (ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0)
    return fail_errno("store_unwritable", "cannot cut a half-written line off " + directory_ + "/" + segment_name(number_),
                      errno);
  torn_ = false;
  return {};
}

Result<void> SegmentFile::append(std::string_view bytes) {
  // SECURITY: G3, nothing is written behind half a line.
  if (auto cut = cut_back(); !cut) return cut;
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t wrote = ::write(fd_.get(), bytes.data() + done, bytes.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) {
      const int why = wrote < 0 ? errno : EIO;
      // SECURITY: G3, nothing half written stays: what is in the file is what was acknowledged. If even the cut fails, the
      // next append tries again before it writes.
      torn_ = true;
      (void)cut_back();
      return fail_errno(store_error(why), "cannot write to " + directory_ + "/" + segment_name(number_), why);
    }
    done += static_cast<std::size_t>(wrote);
  }
  size_ += bytes.size();
  return {};
}

Result<void> SegmentFile::rotate() {
  if (auto cut = cut_back(); !cut) return cut;
  if (auto synced = sync(); !synced) return synced;
  if (auto made = create(number_ + 1); !made) return made;
  return sync();
}

Result<void> SegmentFile::sync() {
  const std::lock_guard lock(mutex_);
  if (fdatasync(fd_.get()) != 0) return fail_errno(store_error(errno), "cannot sync a segment in " + directory_, errno);
  if (!directory_is_new_) return {};
  for (const auto& folder : {directory_, root_})
    if (auto synced = sync_folder(folder); !synced) return synced;
  directory_is_new_ = false;
  return {};
}

}  // namespace weir::events
