// weir vault status: where the store is, what protects it, and whether it is whole.
#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.h"
#include "cli/vault/shared.h"
#include "cli/verbs.h"
#include "vault/store/systemd_credential.h"
#include "vault/vault.h"

namespace weir::cli {
namespace {

using vault::Protection;

struct Status {
  vault::VaultPaths paths;
  std::optional<vault::StoreHeader> header;  // nullopt: the file cannot be read as one
  std::optional<Error> error;                // nullopt: whole
  bool missing = false;
};

Status look() {
  Status status{.paths = vault::default_paths(), .header = {}, .error = {}};
  auto header = vault::EmbeddedStore::peek(status.paths);
  if (!header) {
    status.missing = header.error().code == "vault_missing";
    status.error = header.error();
    return status;
  }
  status.header = *header;
  const auto store = open_store();
  if (!store) {
    status.error = store.error();
  } else {
    status.header = {.protection = store->protection(), .entries = store->list().size(), .generation = store->generation()};
  }
  return status;
}

std::string key_of(const Status& status) {
  switch (status.header->protection) {
    case Protection::kKeyFile:
      return status.paths.key_file;
    case Protection::kPassphrase:
      return "a passphrase (scrypt)";
    case Protection::kKeyring:
      return "in the desktop keyring";
    case Protection::kSystemdCredential:
      return "the systemd credential " + vault::store::systemd_credential_name();
  }
  return "";
}

// Values stay closed to them, names do not.
bool others_can_read(const std::string& path) {
  struct stat file{};
  return ::stat(path.c_str(), &file) == 0 && (file.st_mode & 077U) != 0;
}

void print_json(const Status& status) {
  nlohmann::ordered_json out{{"vault", status.paths.store_file},
                             {"state", status.missing ? "none"
                                       : status.error ? status.error->code
                                                      : "whole"}};
  if (status.header) {
    out["key"] = {{"kind", name_of(status.header->protection)}};
    if (status.header->protection == Protection::kKeyFile) out["key"]["file"] = status.paths.key_file;
    if (status.header->protection == Protection::kSystemdCredential)
      out["key"]["credential"] = vault::store::systemd_credential_name();
    out["entries"] = status.header->entries;
    out["writes"] = status.header->generation;
  }
  if (status.error && !status.missing) out["error"] = status.error->message;
  fmt::print("{}\n", out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

}  // namespace

int vault_status(const VaultArguments& arguments) {
  const Status status = look();
  const int result = status.error && !status.missing ? 1 : 0;
  if (arguments.json) {
    print_json(status);
    return result;
  }
  if (status.missing) {
    fmt::print("vault    none yet; weir vault set NAME makes one at {}\n", status.paths.store_file);
    return 0;
  }
  fmt::print("vault    {}\n", status.paths.store_file);
  if (status.header) {
    fmt::print("key      {}\n", key_of(status));
    fmt::print("entries  {}\n", status.header->entries);
    fmt::print("writes   {}\n", status.header->generation);
  }
  if (!status.error) fmt::print("state    whole: every seal was checked\n");
  if (others_can_read(status.paths.store_file))
    fmt::print(stderr, "weir: others can read the entries' names in it (not their values); run: chmod 600 {}\n",
               status.paths.store_file);
  std::fflush(stdout);
  if (status.error) complain(status.error->message);
  return result;
}

}  // namespace weir::cli
