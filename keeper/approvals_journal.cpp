#include "keeper/approvals_journal.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <memory>

#include "base/encoding.h"
#include "base/file.h"
#include "base/text.h"

namespace weir::keeper {
namespace {

using nlohmann::ordered_json;
constexpr std::size_t kMaxFile = 64U << 20;
constexpr std::time_t kForgottenAfter = 8 * 24 * 3600;  // longer than any grant lasts

std::vector<ordered_json> parse(std::string_view text) {
  std::vector<ordered_json> records;
  for (const auto line : split(text, '\n')) {
    auto record = ordered_json::parse(line, nullptr, false);
    if (record.is_object()) records.push_back(std::move(record));
  }
  return records;
}

std::string text_of(const ordered_json& record) {
  return record.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
}

bool try_lock(int fd) {
  struct flock whole{};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  return fcntl(fd, F_OFD_SETLK, &whole) == 0;
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(fd, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

// Whether the name still leads to what is open: it may have been replaced or removed before the lock was had.
bool is_still(const std::string& path, int fd) {
  struct stat named{};
  struct stat open{};
  return lstat(path.c_str(), &named) == 0 && fstat(fd, &open) == 0 && named.st_ino == open.st_ino && named.st_dev == open.st_dev;
}

}  // namespace

ApprovalJournal::ApprovalJournal(std::string directory, std::string key, std::string session)
    : directory_(std::move(directory)), prefix_(std::move(key) + "."), path_(directory_ + "/" + prefix_ + session + ".jsonl") {}

std::vector<ordered_json> ApprovalJournal::own() const {
  const auto text = read_file(path_, kMaxFile);
  return text ? parse(*text) : std::vector<ordered_json>{};
}

std::vector<ApprovalJournal::Other> ApprovalJournal::others() const {
  std::vector<Other> found;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(directory_.c_str()), &::closedir);
  while (const dirent* entry = folder ? ::readdir(folder.get()) : nullptr) {
    const std::string_view name = entry->d_name;
    const std::string path = directory_ + "/" + entry->d_name;
    if (!name.ends_with(".jsonl") || path == path_) continue;
    UniqueFd file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    struct stat status{};
    if (!file || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    const bool dead = try_lock(file.get());
    if (dead && !is_still(path, file.get())) continue;
    if (!name.starts_with(prefix_)) {
      if (dead && status.st_mtime < std::time(nullptr) - kForgottenAfter) ::unlink(path.c_str());
      continue;
    }
    const auto text = read_file(path, kMaxFile);
    if (!text) continue;
    found.push_back({parse(*text), !dead, path, dead ? std::move(file) : UniqueFd()});
  }
  return found;
}

void ApprovalJournal::discard(const Other& other) { ::unlink(other.path.c_str()); }

Result<void> ApprovalJournal::rewrite(const std::vector<ordered_json>& records) {
  if (auto made = make_directories(directory_, 0700); !made) return made;
  std::string text;
  for (const auto& record : records) text += text_of(record);
  const std::string temporary = path_ + "." + hex_encode(random_bytes(6)) + ".tmp";
  UniqueFd file(::open(temporary.c_str(), O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return fail_errno("approvals_unwritable", "cannot create " + temporary, errno);
  // Locked before it has its name: nobody ever finds this keeper's file without its lock.
  if (!try_lock(file.get()) || !write_all(file.get(), text) || fsync(file.get()) != 0 || ::rename(temporary.c_str(), path_.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    return fail_errno("approvals_unwritable", "cannot write " + path_, error);
  }
  const UniqueFd folder(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder) (void)fsync(folder.get());
  file_ = std::move(file);
  size_ = text.size();
  torn_ = false;
  return {};
}

Result<void> ApprovalJournal::append(const ordered_json& record, bool durable) {
  const std::string line = text_of(record);
  if (torn_) return fail("approvals_unwritable", path_ + " could not be written before");
  if (!write_all(file_.get(), line) || (durable && fdatasync(file_.get()) != 0)) {
    const int error = errno;
    torn_ = ftruncate(file_.get(), static_cast<off_t>(size_)) != 0;
    return fail_errno("approvals_unwritable", "cannot write " + path_, error);
  }
  size_ += line.size();
  return {};
}

}  // namespace weir::keeper
