// weir vault: what its verbs have in common. Values come in through standard input or the terminal, never as an argument, and none
// ever comes out. SECURITY: G2.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/secret.h"
#include "vault/embedded_store.h"

namespace weir::cli {

struct VaultArguments {
  std::string name;
  std::string file;
  std::string prefix;
  std::string format;
  std::string from;                // a profile whose login is imported
  std::string generate;            // a shape; empty: the value is read
  std::vector<std::string> value;  // refused; declared so that the value is not echoed as an "unexpected argument"
  bool passphrase = false;
  bool keyring = false;
  bool systemd_credential = false;
  std::string key_out;
  bool json = false;
};

int vault_init(const VaultArguments& arguments);
int vault_rekey(const VaultArguments& arguments);
int vault_status(const VaultArguments& arguments);
int vault_set(const VaultArguments& arguments);
int vault_rotate(const VaultArguments& arguments);
int vault_remove(const VaultArguments& arguments);
int vault_list(const VaultArguments& arguments);
int vault_import(const VaultArguments& arguments);
int vault_import_login(const VaultArguments& arguments);  // --from

// At most 4 MiB; `what` names it in errors.
Result<Secret> read_all(int fd, std::string_view what);
// A new value: typed without echo, or standard input, of which one line feed at its end is dropped.
Result<Secret> read_new_value(const std::string& name);

Result<vault::EmbeddedStore> open_store();
// The store, made with a key file where there is none: what somebody who sets a first value expects.
Result<vault::EmbeddedStore> open_or_create_store();

}  // namespace weir::cli
