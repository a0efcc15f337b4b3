#include "launch/process/arguments.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace weir::launch {

Result<UniqueFd> file_of(std::string_view bytes) {
  UniqueFd fd(memfd_create("weir", MFD_CLOEXEC));
  if (!fd) return fail_errno("sandbox_failed", "cannot make an anonymous file", errno);
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(fd.get(), bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return fail_errno("sandbox_failed", "cannot fill an anonymous file", errno);
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  if (::lseek(fd.get(), 0, SEEK_SET) < 0) return fail_errno("sandbox_failed", "cannot rewind an anonymous file", errno);
  return fd;
}

void Arguments::add(std::initializer_list<std::string_view> words) {
  for (const auto word : words) {
    words_.append(word);
    words_.push_back('\0');
  }
}

Result<void> Arguments::add_file(std::string_view option, std::string_view content, std::string_view target) {
  auto fd = file_of(content);
  if (!fd) return std::unexpected(fd.error());
  add_descriptor(option, std::move(*fd));
  add({target});
  return {};
}

void Arguments::add_descriptor(std::string_view option, UniqueFd fd) {
  add({option, std::to_string(fd.get())});
  descriptors_.push_back(std::move(fd));
}

}  // namespace weir::launch
