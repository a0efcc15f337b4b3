// weir vault import: every value of a file, or none.
#include "vault/import.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/unique_fd.h"
#include "cli/vault/shared.h"
#include "cli/verbs.h"

namespace weir::cli {
namespace {

struct Input {
  Secret text;
  bool others_can_read = false;
};

Result<Input> read_input(const std::string& file) {
  const bool standard = file == "-";
  const UniqueFd opened(standard ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                 : ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  struct stat status{};
  if (!opened || ::fstat(opened.get(), &status) != 0) return fail_errno("", "cannot open " + printable(file, 300), errno);
  auto text = read_all(opened.get(), standard ? "standard input" : printable(file, 300));
  if (!text) return std::unexpected(text.error());
  return Input{std::move(*text), S_ISREG(status.st_mode) && !standard && (status.st_mode & 077U) != 0};
}

// Under their entries' names; what is empty (a place for a value, in many .env files) is left out.
Result<vault::NamedSecrets> entries_of(vault::NamedSecrets found, const VaultArguments& arguments) {
  vault::NamedSecrets entries;
  for (auto& [name, value] : found) {
    const std::string entry = arguments.prefix + name;
    if (auto named = vault::check_entry_name(entry); !named) return std::unexpected(named.error());
    if (value.empty())
      fmt::print(stderr, "weir: {} is empty and was left out\n", entry);
    else
      entries.emplace_back(entry, std::move(value));
  }
  if (entries.empty()) return fail("vault_import_empty", "it has no names and values");
  return entries;
}

void say(const std::vector<vault::Stored>& stored, bool json) {
  auto out = nlohmann::ordered_json::array();
  for (const auto& [name, version, changed] : stored) {
    if (json)
      out.push_back({{"name", name}, {"version", version}, {"changed", changed}});
    else
      fmt::print("{}: version {}{}\n", name, version, changed ? " stored" : ", unchanged");
  }
  if (json) fmt::print("{}\n", out.dump(2));
}

}  // namespace

int vault_import(const VaultArguments& arguments) {
  if (!arguments.from.empty()) return vault_import_login(arguments);
  if (arguments.file.empty()) return complain("name the FILE that is imported, or with --from the tool whose login is");
  const auto input = read_input(arguments.file);
  if (!input) return complain(input.error().message);
  const std::string what = arguments.file == "-" ? "standard input" : printable(arguments.file, 300);
  const bool json = arguments.format.empty() ? arguments.file.ends_with(".json") : arguments.format == "json";
  auto found = json ? vault::parse_json(input->text) : vault::parse_env(input->text);
  if (!found) return complain(what + ": " + found.error().message);
  const auto entries = entries_of(std::move(*found), arguments);
  if (!entries) return complain(what + ": " + entries.error().message);
  auto store = open_or_create_store();
  if (!store) return complain(store.error().message);
  const auto stored = store->set_all(*entries);
  if (!stored) return complain(what + ": " + stored.error().message);
  say(*stored, arguments.json);
  if (input->others_can_read)
    fmt::print(stderr, "weir: {0} can be read by others and still holds the values; remove it or run: chmod 600 {0}\n", what);
  return 0;
}

}  // namespace weir::cli
