// weir vault set, rotate, rm: one entry.
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.h"
#include "cli/vault/shared.h"
#include "cli/verbs.h"
#include "vault/store/random_value.h"
#include "vault/vault.h"

namespace weir::cli {
namespace {

int refuse_argument(const std::string& verb, const std::string& name) {
  return complain(
      "a value is never taken from the command line, where other users and the shell's history see it; run `weir vault " + verb +
      " " + printable(name, 140) + "` and type or pipe it in");
}

// The store keeps any octets; what most values are for does not take all.
void note_use(const std::string& name, const Secret& value) {
  if (const auto usable = vault::check_value(value, "the value for " + name); !usable)
    fmt::print(stderr, "weir: note: {}\n", usable.error().message);
}

void say_stored(const VaultArguments& arguments, std::uint64_t version, const char* what) {
  if (arguments.json)
    fmt::print("{}\n", nlohmann::ordered_json{{"name", arguments.name}, {"version", version}}.dump());
  else
    fmt::print("{}: version {} {}; use it in a policy as `from: store:{}`\n", arguments.name, version, what, arguments.name);
}

}  // namespace

int vault_set(const VaultArguments& arguments) {
  if (!arguments.value.empty()) return refuse_argument("set", arguments.name);
  if (const auto named = vault::check_entry_name(arguments.name); !named) return complain(named.error().message);
  const auto value = read_new_value(arguments.name);
  if (!value) return complain(value.error().message);
  if (value->empty()) return complain("the value for " + arguments.name + " is empty");
  auto store = open_or_create_store();
  if (!store) return complain(store.error().message);
  const auto number = store->set(arguments.name, *value);
  if (!number) return complain(number.error().message);
  note_use(arguments.name, *value);
  say_stored(arguments, *number, "stored");
  return 0;
}

int vault_rotate(const VaultArguments& arguments) {
  if (!arguments.value.empty()) return refuse_argument("rotate", arguments.name);
  if (const auto named = vault::check_entry_name(arguments.name); !named) return complain(named.error().message);
  // Opened first: nobody types a value for an entry that is not there.
  auto store = open_store();
  if (!store) return complain(store.error().message);
  if (const auto there = store->get(arguments.name); !there) return complain(there.error().message);
  const std::string shape = arguments.generate == "random" ? "{random:40}" : arguments.generate;
  const auto value = shape.empty() ? read_new_value(arguments.name) : vault::store::random_value(shape);
  if (!value) return complain(value.error().message);
  const auto number = store->rotate(arguments.name, *value);
  if (!number) return complain(number.error().message);
  note_use(arguments.name, *value);
  say_stored(arguments, *number, "stored, the older ones are kept");
  fmt::print(stderr,
             "weir: running sessions go on with the version that they have; `weir policy reload` makes them take this one\n");
  return 0;
}

int vault_remove(const VaultArguments& arguments) {
  const auto at = arguments.name.find('@');
  const std::string entry = arguments.name.substr(0, at);
  std::optional<std::uint64_t> version;
  if (at != std::string::npos) {
    const std::string digits = arguments.name.substr(at + 1);
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size())
      return complain("`" + printable(arguments.name, 160) + "`: what follows the @ is a version's number");
    version = number;
  }
  auto store = open_store();
  if (!store) return complain(store.error().message);
  if (const auto removed = store->remove(entry, version); !removed) return complain(removed.error().message);
  fmt::print("{}: {}\n", arguments.name, version ? "this version is removed" : "removed with all its versions");
  return 0;
}

}  // namespace weir::cli
