// weir vault init, rekey: what protects the store.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "base/text.h"
#include "cli/vault/shared.h"
#include "cli/verbs.h"
#include "vault/passphrase.h"
#include "vault/store/systemd_credential.h"
#include "vault/vault.h"

namespace weir::cli {
namespace {

using vault::EmbeddedStore;
using vault::Protection;

// A passphrase that is about to protect something: asked for twice.
Result<Secret> ask_new_passphrase() {
  auto passphrase = vault::ask_on_terminal("New passphrase for weir's vault: ");
  if (!passphrase) return passphrase;
  const auto again = vault::ask_on_terminal("Once more: ");
  if (!again) return std::unexpected(again.error());
  if (again->reveal() != passphrase->reveal())
    return fail("passphrase_differs", "the two passphrases differ; nothing was changed");
  if (passphrase->size() < 8)
    return fail("passphrase_short", "the passphrase is shorter than 8 characters; nothing was changed");
  return passphrase;
}

Result<Secret> first_passphrase() {
  auto passphrase = vault::passphrase_from_file();
  return !passphrase && passphrase.error().code == "vault_locked" ? ask_new_passphrase() : std::move(passphrase);
}

Result<Protection> wanted(const VaultArguments& arguments) {
  if (int{arguments.passphrase} + int{arguments.keyring} + int{arguments.systemd_credential} > 1)
    return fail("options", "--passphrase, --keyring and --systemd-credential exclude one another");
  if (!arguments.key_out.empty() && !arguments.systemd_credential)
    return fail("options", "--key-out belongs to --systemd-credential");
  if (arguments.passphrase) return Protection::kPassphrase;
  if (arguments.keyring) return Protection::kKeyring;
  return arguments.systemd_credential ? Protection::kSystemdCredential : Protection::kKeyFile;
}

// How a key that was written to a file comes to the service.
void say_how_to_load(const std::string& key_out) {
  const std::string name = vault::store::systemd_credential_name();
  const std::string path = printable(std::filesystem::absolute(key_out).string(), 500);
  fmt::print(
      "\nThe key is in {0}. In the service's unit:\n"
      "  [Service]\n  LoadCredential={1}:{0}\n"
      "or sealed to this machine (systemd 250 and later), after which {0} can be moved to a safe place:\n"
      "  systemd-creds encrypt --name={1} {0} /etc/credstore.encrypted/{1}\n"
      "  [Service]\n  LoadCredentialEncrypted={1}\n"
      "By hand:\n"
      "  systemd-run --pty --wait -p LoadCredential={1}:{0} weir vault set NAME\n",
      path, name);
}

// Where the key is, and what becomes of the values without it.
void say_key(Protection protection, const VaultArguments& arguments) {
  switch (protection) {
    case Protection::kKeyFile:
      fmt::print("key    {}  (keep a copy in a safe place; without it the values are lost)\n",
                 vault::default_paths().key_file);
      break;
    case Protection::kPassphrase:
      fmt::print(
          "key    a passphrase: asked for on the terminal, or read from the file that $WEIR_VAULT_PASSPHRASE_FILE names\n");
      break;
    case Protection::kKeyring:
      fmt::print(
          "key    in the desktop keyring, as \"Key of weir's vault\"  (lost with the keyring, and the values with it)\n");
      break;
    case Protection::kSystemdCredential:
      fmt::print("key    the systemd credential {}  (keep a copy in a safe place; without it the values are lost)\n",
                 vault::store::systemd_credential_name());
      if (!arguments.key_out.empty()) say_how_to_load(arguments.key_out);
      break;
  }
}

// Neither is there: both ways are named.
int complain_of_key(const Error& error, const VaultArguments& arguments) {
  if (arguments.systemd_credential && arguments.key_out.empty() && error.code.starts_with("credential_"))
    return complain(error.message + "; or let weir make a key for the unit: --key-out FILE");
  return complain(error.message);
}

}  // namespace

int vault_init(const VaultArguments& arguments) {
  const auto protection = wanted(arguments);
  if (!protection) return complain(protection.error().message);
  const auto paths = vault::default_paths();
  const auto store = EmbeddedStore::create(paths, *protection, first_passphrase, arguments.key_out);
  if (!store) return complain_of_key(store.error(), arguments);
  fmt::print("vault  {}\n", paths.store_file);
  say_key(*protection, arguments);
  return 0;
}

int vault_rekey(const VaultArguments& arguments) {
  const auto protection = wanted(arguments);
  if (!protection) return complain(protection.error().message);
  auto store = open_store();
  if (!store) return complain(store.error().message);
  const auto paths = vault::default_paths();
  const auto before = store->protection();
  // The passphrase file, when there is one, holds the old passphrase: the new one is asked for.
  if (const auto done = store->rekey(*protection, ask_new_passphrase, arguments.key_out); !done)
    return complain_of_key(done.error(), arguments);
  fmt::print("vault  {}: everything is encrypted anew\n", paths.store_file);
  say_key(*protection, arguments);
  if (before == Protection::kKeyFile && *protection != Protection::kKeyFile)
    fmt::print("{} is no longer used; remove it once no copy of the old vault is needed\n", paths.key_file);
  if (before == Protection::kSystemdCredential && *protection != Protection::kSystemdCredential)
    fmt::print("the systemd credential {} is no longer used\n", vault::store::systemd_credential_name());
  return 0;
}

}  // namespace weir::cli
