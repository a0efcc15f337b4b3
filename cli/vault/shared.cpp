#include "cli/vault/shared.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "vault/passphrase.h"
#include "vault/vault.h"

namespace weir::cli {

using vault::EmbeddedStore;

namespace {

constexpr std::size_t kMaxInput = 4U << 20;

}  // namespace

Result<Secret> read_all(int fd, std::string_view what) {
  Secret input = Secret::of_size(kMaxInput + 1);
  std::size_t size = 0;
  while (size < input.size()) {
    const ssize_t got = ::read(fd, input.data() + size, input.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("input_unreadable", "cannot read " + std::string(what), errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > kMaxInput) return fail("input_too_large", std::string(what) + " is larger than 4 MiB");
  input.shrink(size);
  return input;
}

Result<Secret> read_new_value(const std::string& name) {
  if (::isatty(STDIN_FILENO) == 1) return vault::ask_on_terminal("Value for " + name + " (not shown): ");
  auto value = read_all(STDIN_FILENO, "standard input");
  if (value && !value->empty() && value->reveal().back() == '\n') value->shrink(value->size() - 1);
  return value;
}

Result<EmbeddedStore> open_store() {
  return EmbeddedStore::open(vault::default_paths(), vault::passphrase_from_file_or_terminal);
}

Result<EmbeddedStore> open_or_create_store() {
  auto store = open_store();
  if (store || store.error().code != "vault_missing") return store;
  const auto paths = vault::default_paths();
  store = EmbeddedStore::create(paths, vault::Protection::kKeyFile, vault::passphrase_from_file);
  if (!store && store.error().code == "vault_exists") return open_store();  // another weir was faster
  if (store)
    fmt::print(
        stderr,
        "weir: made a new vault, {}\nweir: its key is {}; keep a copy in a safe place, without it the values are lost\n",
        paths.store_file, paths.key_file);
  return store;
}

}  // namespace weir::cli
