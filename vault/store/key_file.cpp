#include "vault/store/key_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/encoding.h"
#include "base/file.h"
#include "vault/store/key_text.h"
#include "vault/store/place.h"

namespace weir::vault::store {
namespace {

// Written whole under another name and then linked, so that nobody ever reads half a key and none is overwritten.
Result<void> create_key_file(const std::string& path) {
  if (auto made = make_directories(folder_of(path), 0700); !made) return made;
  Secret key = Secret::of_size(kMasterKey * 2 + 1);
  std::memcpy(key.data(), key_text(new_master_key()).reveal().data(), kMasterKey * 2);
  key.data()[kMasterKey * 2] = '\n';
  const std::string draft = path + "." + hex_encode(random_bytes(6)) + ".tmp";
  if (auto written = replace_file(draft, key.reveal(), 0600); !written) return written;
  const int linked = ::link(draft.c_str(), path.c_str());
  const int saved = errno;
  ::unlink(draft.c_str());
  if (linked != 0 && saved != EEXIST) return fail_errno("file_unwritable", "cannot create " + path, saved);
  return {};
}

}  // namespace

Result<Secret> read_key_file(const std::string& path) {
  if (auto file = check_is_file(path); !file) return std::unexpected(file.error());
  auto text = read_secret_file(path, 4096);
  if (!text) return std::unexpected(text.error());
  auto key = parse_key_text(text->reveal());
  if (!key)
    return fail("vault_key_invalid",
                "the vault's key file " + path + " does not hold 64 hexadecimal digits; restore it from a backup");
  return std::move(*key);
}

Result<Secret> read_or_create_key_file(const std::string& path) {
  auto key = read_key_file(path);
  if (key || key.error().code != "file_missing") return key;
  if (auto made = create_key_file(path); !made) return std::unexpected(made.error());
  return read_key_file(path);
}

}  // namespace weir::vault::store
