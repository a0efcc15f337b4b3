#include "vault/store/key_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/encoding.h"
#include "base/file.h"
#include "base/unique_fd.h"

namespace weir::vault::store {
namespace {

constexpr std::size_t kKey = 32;

// Written whole under another name and then linked, so that nobody ever reads half a key and none is overwritten.
Result<void> create_key_file(const std::string& path) {
  if (auto made = make_directories(folder_of(path), 0700); !made) return made;
  const Secret key = [] {
    std::string bytes = random_bytes(kKey);
    std::string digits = hex_encode(bytes) + "\n";
    Secret secret(digits);
    wipe(bytes.data(), bytes.size());
    wipe(digits.data(), digits.size());
    return secret;
  }();
  const std::string draft = path + "." + hex_encode(random_bytes(6)) + ".tmp";
  if (auto written = replace_file(draft, key.reveal(), 0600); !written) return written;
  const int linked = ::link(draft.c_str(), path.c_str());
  const int saved = errno;
  ::unlink(draft.c_str());
  if (linked != 0 && saved != EEXIST) return fail_errno("file_unwritable", "cannot create " + path, saved);
  return {};
}

}  // namespace

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<Secret> read_key_file(const std::string& path) {
  auto text = read_secret_file(path, 4096);
  if (!text) return std::unexpected(text.error());
  auto key = hex_decode(text->reveal());
  if (!key || key->size() != kKey)
    return fail("vault_key_invalid",
                "the vault's key file " + path + " does not hold 64 hexadecimal digits; restore it from a backup");
  Secret secret(*key);
  wipe(key->data(), key->size());
  return secret;
}

Result<Secret> read_or_create_key_file(const std::string& path) {
  auto key = read_key_file(path);
  if (key || key.error().code != "file_missing") return key;
  if (auto made = create_key_file(path); !made) return std::unexpected(made.error());
  return read_key_file(path);
}

}  // namespace weir::vault::store
