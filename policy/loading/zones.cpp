#include "policy/loading/zones.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "base/text.h"
#include "policy/matching/posix_zone.h"

namespace weir::policy {

namespace {

constexpr std::size_t kMaxZoneFile = 256U << 10;

bool is_zone_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
  return !name.empty() && name.size() <= 64 && letter(name.front()) && name.find("..") == std::string_view::npos &&
         std::ranges::all_of(name, [&](char c) {
           return letter(c) || (c >= '0' && c <= '9') || std::string_view("/_+-").find(c) != std::string_view::npos;
         });
}

// The line after the last block of a TZif file of version 2 or later; empty when there is none.
std::string_view footer_of(std::string_view file) {
  if (!file.starts_with("TZif") || file.size() < 5 || file[4] < '2' || !file.ends_with('\n')) return {};
  file.remove_suffix(1);
  const auto before = file.rfind('\n');
  return before == std::string_view::npos ? std::string_view() : file.substr(before + 1);
}

}  // namespace

const Read<std::string>& Zones::rule_of(const std::string& name) {
  const auto found = known_.find(name);
  return found != known_.end() ? found->second : known_.emplace(name, read(name)).first->second;
}

Read<std::string> Zones::read(const std::string& name) const {
  if (name == "UTC") return std::string();
  const auto refuse = [&](std::string_view why, std::string hint) {
    return std::unexpected(Problem{fmt::format("`{}` {}", printable(name, 80), why), std::move(hint)});
  };
  if (!is_zone_name(name)) return refuse("is not a time zone", "for instance: Europe/Berlin; leave it out for UTC");
  const auto file = read_file(folder_ + "/" + name, kMaxZoneFile);
  if (!file) return refuse("is not a time zone that this host knows", like(name));
  const auto footer = footer_of(*file);
  if (!PosixZone::parse(footer)) return refuse("is a time zone whose rule from now on is not known", "name another, or UTC");
  return std::string(footer);
}

std::string Zones::like(const std::string& name) const {
  namespace fs = std::filesystem;
  std::vector<std::string> names;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder_, error), end; !error && entry != end; entry.increment(error)) {
    const auto path = entry->path().lexically_relative(folder_).string();
    if (path == "posix" || path == "right") {  // the same once more
      entry.disable_recursion_pending();
      continue;
    }
    std::error_code ignored;  // what cannot be looked at is no candidate
    if (is_zone_name(path) && entry->is_regular_file(ignored)) names.push_back(path);
  }
  if (names.empty())
    return fmt::format("there is no zone database in {}: install tzdata, or leave the zone out for UTC", folder_);
  std::ranges::sort(names);
  for (const auto& known : names)  // "Berlin"
    if (equals_ignoring_case(std::string_view(known).substr(known.rfind('/') + 1), name) ||
        equals_ignoring_case(known, name))
      return fmt::format("did you mean `{}`?", known);
  const std::vector<std::string_view> views(names.begin(), names.end());
  const auto near = nearest(name, views);
  return near ? fmt::format("did you mean `{}`?", *near) : "for instance: Europe/Berlin; leave it out for UTC";
}

}  // namespace weir::policy
