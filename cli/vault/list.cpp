// weir vault list: names, versions and times.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/vault/shared.h"
#include "cli/verbs.h"

namespace weir::cli {
namespace {

void print_json(const std::vector<vault::EntrySummary>& entries) {
  auto out = nlohmann::ordered_json::array();
  for (const auto& entry : entries) {
    auto versions = nlohmann::ordered_json::array();
    for (const auto& version : entry.versions)
      versions.push_back({{"version", version.number}, {"created", version.created}});
    out.push_back({{"name", entry.name}, {"versions", std::move(versions)}});
  }
  fmt::print("{}\n", out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

}  // namespace

int vault_list(const VaultArguments& arguments) {
  const auto store = open_store();
  if (!store && store.error().code == "vault_missing" && arguments.json) {
    fmt::print("[]\n");
    return 0;
  }
  if (!store) return complain(store.error().message);
  const auto entries = store->list();
  if (arguments.json) {
    print_json(entries);
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

}  // namespace weir::cli
