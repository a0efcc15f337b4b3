// weir vault: the embedded store from the command line; each verb's work is in cli/vault/.
#include <memory>

#include "cli/vault/shared.h"
#include "cli/verbs.h"

namespace weir::cli {
namespace {

using Arguments = std::shared_ptr<VaultArguments>;

void add_key_kinds(CLI::App& command, const Arguments& arguments) {
  command.add_flag("--passphrase", arguments->passphrase, "Protected by a passphrase (scrypt), not by a key file");
  command.add_flag("--keyring", arguments->keyring, "The key in the desktop's keyring (Secret Service, through libsecret)");
  command.add_flag("--systemd-credential", arguments->systemd_credential,
                   "The key is the systemd credential weir-vault-key ($WEIR_VAULT_CREDENTIAL names another)");
  command.add_option("--key-out", arguments->key_out,
                     "With --systemd-credential: make the key in this file (0600) and say how to give it to systemd")
      ->type_name("FILE");
}

void add_one_entry(CLI::App& command, const Arguments& arguments) {
  command.add_option("NAME", arguments->name, "The entry; policies name it as store:NAME")->required();
  command.add_option("value", arguments->value)->group("");
  command.add_flag("--json", arguments->json, "Name and version as JSON");
}

void add_import(CLI::App& command, const Arguments& arguments) {
  command.add_option("--file,FILE", arguments->file,
                     "NAME=VALUE lines, or one JSON object of strings when it ends in .json; - is standard input");
  command.add_option("--from", arguments->from, "Instead, the login that a tool has on this host: claude, gh, aws … (`weir profiles`)")->type_name("LOGIN");
  command.add_option("--prefix", arguments->prefix, "Put before each name: --prefix team/ makes team/NAME");
  command.add_option("--format", arguments->format, "What FILE holds, whatever its name")->check(CLI::IsMember({"env", "json"}));
  command.add_flag("--json", arguments->json, "Names and versions as JSON");
}

}  // namespace

void add_vault(CLI::App& app, int& status) {
  auto* verb = app.add_subcommand("vault", "Keep secrets for policies in an encrypted file of weir's own");
  verb->require_subcommand(1);
  auto arguments = std::make_shared<VaultArguments>();
  const auto add = [&](const char* name, const char* description, int (*action)(const VaultArguments&)) {
    auto* command = verb->add_subcommand(name, description);
    command->callback([action, arguments, &status] { status = action(*arguments); });
    return command;
  };
  add_key_kinds(*add("init", "Make the vault; without an option its key is in a file", vault_init), arguments);
  add_one_entry(*add("set", "Store a value: typed without echo, or from standard input", vault_set), arguments);
  auto* rotate = add("rotate", "Store a new value of an entry that is there; older versions are kept", vault_rotate);
  add_one_entry(*rotate, arguments);
  rotate->add_flag("--generate{random}", arguments->generate,
                   "Not read but random: 40 letters and digits, or text with {random:N} in it, as --generate=key_{random:32}");
  add("list", "Names, versions and times; never values", vault_list)->add_flag("--json", arguments->json, "As JSON");
  add("rm", "Remove an entry with all its versions, or NAME@VERSION", vault_remove)
      ->add_option("NAME", arguments->name, "The entry, or one version of it")
      ->required();
  add("status", "Where the vault is, what protects it, and whether it is whole", vault_status)
      ->add_flag("--json", arguments->json, "As JSON");
  add_import(*add("import", "Store every value of a .env or .json file, or none", vault_import), arguments);
  add_key_kinds(*add("rekey", "Encrypt everything anew under a new key, of this kind or another", vault_rekey), arguments);
}

}  // namespace weir::cli
