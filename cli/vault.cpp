// weir vault: the embedded store from the command line. Values come in through standard input or the terminal, never
// as an argument, and none ever comes out. SECURITY: G2.
#include "vault/vault.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "base/unique_fd.h"
#include "cli/verbs.h"
#include "vault/embedded_store.h"
#include "vault/import.h"
#include "vault/passphrase.h"

namespace weir::cli {
namespace {

using vault::EmbeddedStore;
using vault::Protection;

constexpr std::size_t kMaxInput = 4U << 20;

struct Arguments {
  std::string name;
  std::string file;
  std::vector<std::string> value;  // refused; declared so that the value is not echoed as an "unexpected argument"
  bool passphrase = false;
  bool json = false;
};

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

Result<Secret> read_value(const std::string& name) {
  if (::isatty(STDIN_FILENO) == 1) return vault::ask_on_terminal("Value for " + name + " (not shown): ");
  auto value = read_all(STDIN_FILENO, "standard input");
  if (value && !value->empty() && value->reveal().back() == '\n') value->shrink(value->size() - 1);
  return value;
}

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

Result<EmbeddedStore> open_store() {
  return EmbeddedStore::open(vault::default_paths(), vault::passphrase_from_file_or_terminal);
}

// The store, made with a key file where there is none: what somebody who sets a first value expects.
Result<EmbeddedStore> open_or_create_store() {
  auto store = open_store();
  if (store || store.error().code != "vault_missing") return store;
  const auto paths = vault::default_paths();
  store = EmbeddedStore::create(paths, Protection::kKeyFile, vault::passphrase_from_file);
  if (!store && store.error().code == "vault_exists") return open_store();  // another weir was faster
  if (store)
    fmt::print(
        stderr,
        "weir: made a new vault, {}\nweir: its key is {}; keep a copy in a safe place, without it the values are lost\n",
        paths.store_file, paths.key_file);
  return store;
}

int init(const Arguments& arguments) {
  const auto paths = vault::default_paths();
  const auto store =
      EmbeddedStore::create(paths, arguments.passphrase ? Protection::kPassphrase : Protection::kKeyFile, first_passphrase);
  if (!store) return complain(store.error().message);
  fmt::print("vault  {}\n", paths.store_file);
  if (arguments.passphrase)
    fmt::print(
        "key    a passphrase: asked for on the terminal, or read from the file that $WEIR_VAULT_PASSPHRASE_FILE names\n");
  else
    fmt::print("key    {}  (keep a copy in a safe place; without it the values are lost)\n", paths.key_file);
  return 0;
}

int set(const Arguments& arguments) {
  if (!arguments.value.empty())
    return complain(
        "a value is never taken from the command line, where other users and the shell's history see it; run `weir vault "
        "set " +
        printable(arguments.name, 140) + "` and type or pipe it in");
  if (const auto named = vault::check_entry_name(arguments.name); !named) return complain(named.error().message);
  const auto value = read_value(arguments.name);
  if (!value) return complain(value.error().message);
  if (const auto usable = vault::check_value(*value, "the value for " + arguments.name); !usable)
    return complain(usable.error().message);
  auto store = open_or_create_store();
  if (!store) return complain(store.error().message);
  const auto number = store->set(arguments.name, *value);
  if (!number) return complain(number.error().message);
  fmt::print("{}: version {} stored; use it in a policy as `from: store:{}`\n", arguments.name, *number, arguments.name);
  return 0;
}

int list(const Arguments& arguments) {
  const auto store = open_store();
  if (!store && store.error().code == "vault_missing" && arguments.json) {
    fmt::print("[]\n");
    return 0;
  }
  if (!store) return complain(store.error().message);
  const auto entries = store->list();
  if (arguments.json) {
    auto out = nlohmann::ordered_json::array();
    for (const auto& entry : entries) {
      auto versions = nlohmann::ordered_json::array();
      for (const auto& version : entry.versions)
        versions.push_back({{"version", version.number}, {"created", version.created}});
      out.push_back({{"name", entry.name}, {"versions", std::move(versions)}});
    }
    fmt::print("{}\n", out.dump(2));
    return 0;
  }
  if (entries.empty()) {
    fmt::print(stderr, "weir: the vault is empty; add to it with: weir vault set NAME\n");
    return 0;
  }
  std::size_t width = 4;
  for (const auto& entry : entries) width = std::max(width, entry.name.size());
  fmt::print("{:<{}}  VERSION  KEPT  SET\n", "NAME", width);
  for (const auto& entry : entries)
    fmt::print("{:<{}}  {:<7}  {:<4}  {}\n", entry.name, width, entry.versions.back().number, entry.versions.size(),
               printable(entry.versions.back().created, 40));
  return 0;
}

int remove(const Arguments& arguments) {
  auto store = open_store();
  if (!store) return complain(store.error().message);
  if (const auto removed = store->remove(arguments.name); !removed) return complain(removed.error().message);
  fmt::print("{}: removed\n", arguments.name);
  return 0;
}

int status_of_store(const Arguments&) {
  const auto paths = vault::default_paths();
  const auto store = open_store();
  if (!store && store.error().code == "vault_missing") {
    fmt::print("vault    none yet; weir vault set NAME makes one at {}\n", paths.store_file);
    return 0;
  }
  if (!store) {
    complain(store.error().message);
    return 1;
  }
  fmt::print("vault    {}\n", paths.store_file);
  fmt::print("key      {}\n", store->protection() == Protection::kKeyFile ? paths.key_file : "a passphrase (scrypt)");
  fmt::print("entries  {}\n", store->list().size());
  fmt::print("writes   {}\n", store->generation());
  fmt::print("state    whole: every seal was checked\n");
  return 0;
}

int import(const Arguments& arguments) {
  const UniqueFd fd(::open(arguments.file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  struct stat status{};
  if (!fd || ::fstat(fd.get(), &status) != 0)
    return complain(fail_errno("", "cannot open " + arguments.file, errno).error().message);
  const auto text = read_all(fd.get(), arguments.file);
  if (!text) return complain(text.error().message);
  const auto found = arguments.file.ends_with(".json") ? vault::parse_json(*text) : vault::parse_env(*text);
  if (!found) return complain(arguments.file + ": " + found.error().message);
  // All are checked before the first is stored.
  for (const auto& [name, value] : *found) {
    if (const auto named = vault::check_entry_name(name); !named)
      return complain(arguments.file + ": " + named.error().message);
    if (const auto usable = vault::check_value(value, arguments.file + ": the value of " + name); !usable)
      return complain(usable.error().message);
  }
  if (found->empty()) return complain(arguments.file + " has no names and values");
  auto store = open_or_create_store();
  if (!store) return complain(store.error().message);
  for (const auto& [name, value] : *found) {
    const auto number = store->set(name, value);
    if (!number) return complain(name + ": " + number.error().message);
    fmt::print("{}: version {} stored\n", name, *number);
  }
  if ((status.st_mode & 077U) != 0)
    fmt::print(stderr, "weir: {} can be read by others and still holds the values; remove it or run: chmod 600 {}\n",
               arguments.file, arguments.file);
  return 0;
}

int rekey(const Arguments& arguments) {
  auto store = open_store();
  if (!store) return complain(store.error().message);
  const auto paths = vault::default_paths();
  const bool had_key_file = store->protection() == Protection::kKeyFile;
  // The passphrase file, when there is one, holds the old passphrase: the new one is asked for.
  if (const auto done =
          store->rekey(arguments.passphrase ? Protection::kPassphrase : Protection::kKeyFile, ask_new_passphrase);
      !done)
    return complain(done.error().message);
  if (arguments.passphrase)
    fmt::print("the vault now opens with the new passphrase{}\n",
               had_key_file ? "; " + paths.key_file + " is no longer used and may be removed" : "");
  else
    fmt::print("the vault now opens with a new key, {}; keep a copy in a safe place\n", paths.key_file);
  return 0;
}

}  // namespace

void add_vault(CLI::App& app, int& status) {
  auto* verb = app.add_subcommand("vault", "Keep secrets for policies in an encrypted file of weir's own");
  verb->require_subcommand(1);
  auto arguments = std::make_shared<Arguments>();
  const auto add = [&](const char* name, const char* description, int (*action)(const Arguments&)) {
    auto* command = verb->add_subcommand(name, description);
    command->callback([action, arguments, &status] { status = action(*arguments); });
    return command;
  };
  auto* made = add("init", "Make the vault, with a key file or a passphrase", init);
  made->add_flag("--passphrase", arguments->passphrase, "Protect it by a passphrase, not by a key file");
  auto* setter = add("set", "Store a value: typed without echo, or from standard input", set);
  setter->add_option("NAME", arguments->name, "The entry; policies name it as store:NAME")->required();
  setter->add_option("value", arguments->value)->group("");
  add("list", "Names, versions and times; never values", list)->add_flag("--json", arguments->json, "As JSON");
  add("rm", "Remove an entry with all its versions", remove)->add_option("NAME", arguments->name, "The entry")->required();
  add("status", "Where the vault is, and whether it is whole", status_of_store);
  add("import", "Store every value of a .env or .json file", import)
      ->add_option("FILE", arguments->file, "NAME=VALUE lines, or one JSON object when it ends in .json")
      ->required();
  add("rekey", "Encrypt everything anew under a new key", rekey)
      ->add_flag("--passphrase", arguments->passphrase, "A passphrase from now on, not a key file");
}

}  // namespace weir::cli
