#include "vault/store/systemd_credential.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/text.h"
#include "base/unique_fd.h"
#include "vault/store/key_text.h"

namespace weir::vault::store {
namespace {

constexpr std::size_t kMost = 4096;

// systemd keeps them as root's with an access list for the service's user, and the group's bits then show that list's mask.
// So the group's right to read counts against a file only when it is not root's. SECURITY: G2.
Result<void> check_owner(const std::string& path, const struct stat& status) {
  if (!S_ISREG(status.st_mode)) return fail("credential_mode", path + " is not a regular file");
  if (status.st_uid != 0 && status.st_uid != ::geteuid())
    return fail("credential_mode", path + " belongs to another user; it must be yours or root's");
  const mode_t refused = status.st_uid == 0 ? 027U : 077U;
  if ((status.st_mode & refused) != 0)
    return fail("credential_mode", path + " can be read or written by others; systemd itself makes it mode 0400");
  return {};
}

Result<Secret> read_whole(const std::string& path, int fd) {
  Secret text = Secret::of_size(kMost);
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(fd, text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("credential_missing", "cannot read " + path, errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.shrink(size);
  return text;
}

}  // namespace

std::string systemd_credential_name() {
  const char* given = std::getenv("WEIR_VAULT_CREDENTIAL");
  return given != nullptr && *given != '\0' ? given : "weir-vault-key";
}

Result<Secret> read_systemd_credential() {
  const std::string name = systemd_credential_name();
  const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
  if (name.find('/') != std::string::npos || name == "." || name == "..")
    return fail("credential_name", "$WEIR_VAULT_CREDENTIAL: `" + printable(name, 100) + "` is not the name of a credential");
  if (folder == nullptr || *folder == '\0')
    return fail("credential_directory_unset",
                "the vault's key is the systemd credential `" + printable(name, 100) +
                    "`, and $CREDENTIALS_DIRECTORY is not set: start weir in a unit with LoadCredential=" +
                    printable(name, 100) + ":FILE, or by systemd-run -p LoadCredential=" + printable(name, 100) + ":FILE");
  if (*folder != '/') return fail("credential_directory_unset", "$CREDENTIALS_DIRECTORY is not an absolute path");
  const std::string path = std::string(folder) + "/" + name;
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK));
  struct stat status{};
  if (!fd || ::fstat(fd.get(), &status) != 0)
    return fail_errno("credential_missing",
                      "the vault's key is a systemd credential that this unit does not have (LoadCredential=" +
                          printable(name, 100) + ":FILE is missing in it?): cannot open " + printable(path, 300),
                      errno);
  if (auto good = check_owner(path, status); !good) return std::unexpected(good.error());
  const auto text = read_whole(path, fd.get());
  if (!text) return std::unexpected(text.error());
  auto key = parse_key_text(text->reveal());
  if (!key)
    return fail("vault_key_invalid",
                "the systemd credential " + printable(path, 300) + " does not hold 64 hexadecimal digits");
  return std::move(*key);
}

}  // namespace weir::vault::store
