#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/encoding.h"
#include "base/unique_fd.h"

namespace weir {

std::unexpected<Error> fail_errno(std::string code, std::string message, int errno_value) {
  return fail(std::move(code), std::move(message) + ": " + std::strerror(errno_value));
}

namespace {

Result<UniqueFd> open_for_reading(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd) return fail_errno(errno == ENOENT ? "file_missing" : "file_unreadable", "cannot open " + path, errno);
  return fd;
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  auto fd = open_for_reading(path);
  if (!fd) return std::unexpected(fd.error());
  std::string content;
  char buffer[65536];
  for (;;) {
    const ssize_t got = ::read(fd->get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("file_unreadable", "cannot read " + path, errno);
    if (got == 0) return content;
    content.append(buffer, static_cast<std::size_t>(got));
    if (content.size() > limit) return fail("file_too_large", path + " is larger than " + std::to_string(limit) + " bytes");
  }
}

Result<Secret> read_secret_file(const std::string& path, std::size_t limit) {
  auto fd = open_for_reading(path);
  if (!fd) return std::unexpected(fd.error());
  struct stat status {};
  if (fstat(fd->get(), &status) != 0) return fail_errno("file_unreadable", "cannot read " + path, errno);
  if (!S_ISREG(status.st_mode)) return fail("secret_file_kind", path + " is not a regular file");
  if (status.st_uid != geteuid() && status.st_uid != 0)
    return fail("secret_file_owner", path + " belongs to another user; it must be yours");
  if ((status.st_mode & 077U) != 0) {
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o", status.st_mode & 07777U);
    return fail("secret_file_mode", path + " has mode " + mode + ", so others can read it; run: chmod 600 " + path);
  }
  if (static_cast<std::size_t>(status.st_size) > limit)
    return fail("file_too_large", path + " is larger than " + std::to_string(limit) + " bytes");
  Secret secret = Secret::of_size(static_cast<std::size_t>(status.st_size));
  std::size_t have = 0;
  while (have < secret.size()) {
    const ssize_t got = ::read(fd->get(), secret.data() + have, secret.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("file_unreadable", "cannot read " + path, errno);
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  secret.shrink(have);
  if (have > 0 && secret.reveal().back() == '\n') secret.shrink(have - 1);
  return secret;
}

Result<void> replace_file(const std::string& path, std::string_view content, unsigned mode) {
  const std::string temporary = path + "." + hex_encode(random_bytes(6)) + ".tmp";
  UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!fd) return fail_errno("file_unwritable", "cannot create " + temporary, errno);
  const auto abandon = [&](const char* what) {
    const int saved = errno;
    ::unlink(temporary.c_str());
    return fail_errno("file_unwritable", std::string("cannot ") + what + " " + path, saved);
  };
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t wrote = ::write(fd.get(), content.data() + done, content.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return abandon("write");
    done += static_cast<std::size_t>(wrote);
  }
  if (fsync(fd.get()) != 0) return abandon("write");
  if (::rename(temporary.c_str(), path.c_str()) != 0) return abandon("replace");
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  UniqueFd directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory) (void)fsync(directory.get());
  return {};
}

Result<void> make_directories(const std::string& path, unsigned mode) {
  for (std::size_t at = 1; at <= path.size(); ++at) {
    if (at != path.size() && path[at] != '/') continue;
    const std::string part = path.substr(0, at);
    if (::mkdir(part.c_str(), mode) != 0 && errno != EEXIST) {
      struct stat status {};
      if (::stat(part.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) continue;  // e.g. EROFS on a folder that is there
      return fail_errno("directory_unwritable", "cannot make the folder " + part, errno);
    }
  }
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return fail("directory_unwritable", path + " is not a folder");
  return {};
}

}  // namespace weir
