#include "policy/lint_openings.h"

#include <fmt/format.h>
#include <libpsl.h>

#include <algorithm>
#include <array>

#include "base/time.h"
#include "policy/canonical.h"
#include "policy/matching/coverage.h"
#include "policy/policy.h"

namespace weir::policy {

namespace {

// Domains under which anyone can have a name, from the Public Suffix List that libpsl brings: those of registries ("com",
// "co.uk") and those of services ("github.io"). Names whose last label nobody has registered ("internal", "corp") are not
// meant.
enum class Suffixes : int {
  registries = PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE,
  all = PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE,
};

void warn_of_public_suffixes(Diagnostics& diagnostics, const Place& place, std::string_view what,
                             const std::vector<HostPattern>& hosts, Suffixes suffixes) {
  const psl_ctx_t* list = psl_builtin();
  if (list == nullptr) return;
  const auto is_wide = [&](const HostPattern& host) {
    return host.kind == HostPattern::Kind::below &&
           psl_is_public_suffix2(list, host.name.c_str(), static_cast<int>(suffixes)) != 0;
  };
  const auto first = std::ranges::find_if(hosts, is_wide);
  if (first == hosts.end()) return;
  const auto others = std::count_if(first + 1, hosts.end(), is_wide);
  diagnostics.warning(place,
                      fmt::format("`{}`{} of {} is every name that anyone can have there", to_text(*first),
                                  others == 0 ? "" : fmt::format(" (and {} more)", others), what),
                      "name the domains that are needed");
}

// Of a service's users anything may be read (raw files, buckets) by who asks for it; to write there is to give it away.
bool only_reads(const Rule& rule) {
  return !rule.methods.empty() &&
         std::ranges::all_of(rule.methods, [](const auto& method) { return method == "GET" || method == "HEAD"; });
}

void warn_of_addresses(Diagnostics& diagnostics, const Rule& rule) {
  for (const auto& cidr : rule.addresses) {
    if (address_in("169.254.169.254", cidr))
      diagnostics.warning(
          rule.place, fmt::format("`{}` of rule `{}` holds 169.254.169.254, where clouds hand out machine credentials", cidr,
                                  rule.name));
    if (address_in("127.0.0.1", cidr) || address_in("::1", cidr))
      diagnostics.warning(
          rule.place, fmt::format("`{}` of rule `{}` holds this machine itself, with all its services", cidr, rule.name));
  }
  if (!rule.addresses.empty() &&
      std::ranges::any_of(rule.hosts, [](const auto& host) { return host.kind == HostPattern::Kind::any; }))
    diagnostics.warning(rule.place, fmt::format("rule `{}` lets every name lead to private addresses", rule.name),
                        "name the hosts that are there");
  for (const auto& host : rule.hosts) {
    if (host.kind != HostPattern::Kind::exact || !is_ip_literal(host.name) || !is_special_purpose_address(host.name))
      continue;
    if (std::ranges::any_of(rule.addresses, [&](const auto& cidr) { return address_in(host.name, cidr); })) continue;
    diagnostics.warning(
        rule.place,
        fmt::format("rule `{}` does not open `{}`: it is a private address that `addresses` does not name", rule.name,
                    host.name),
        fmt::format("add `addresses: [{}/{}]`", host.name, host.name.find(':') == std::string::npos ? 32 : 128));
  }
}

// Every rule without `ports` is for port 80 too; only where the file says so itself is it told.
void warn_of_plain_http(Diagnostics& diagnostics, const Rule& rule) {
  const bool named = std::ranges::find(rule.ports, 80) != rule.ports.end() ||
                     std::ranges::any_of(rule.hosts, [](const auto& host) { return host.port == std::uint16_t{80}; });
  if (named && !rule.tcp)
    diagnostics.warning(
        rule.place,
        fmt::format("rule `{}` opens port 80, where everyone on the way can read and change what is said", rule.name));
}

void warn_of_past_windows(Diagnostics& diagnostics, const Rule& rule, std::int64_t now) {
  const bool over = !rule.when.empty() && std::ranges::all_of(rule.when, [&](const TimeWindow& window) {
    return window.kind == TimeWindow::Kind::interval && window.end <= now;
  });
  if (over)
    diagnostics.warning(rule.place, fmt::format("the time of rule `{}` is over: it never matches again", rule.name),
                        "remove it");
}

void warn_of_writable_executables(Diagnostics& diagnostics, const Rule& rule) {
  // Where a sandbox usually may write; a `*` in the first segment holds these as well.
  constexpr std::array<std::string_view, 7> kWritable = {"/tmp/",      "/var/tmp/", "/home/", "/dev/shm/",
                                                         "/run/user/", "/root/",    "/*"};
  for (const auto& glob : rule.process)
    if (std::ranges::any_of(kWritable, [&](auto prefix) { return std::string_view(glob).starts_with(prefix); }))
      diagnostics.warning(
          rule.place,
          fmt::format("`{}` of rule `{}` may be where the sandbox can write, and then it is any program", glob, rule.name),
          "name executables that the sandbox cannot replace");
}

}  // namespace

void warn_of_openings(Diagnostics& diagnostics, const Document& document) {
  if (document.default_action == Action::log)
    diagnostics.warning(diagnostics.start(), "`default: log` lets through whatever no rule denies",
                        "for learning what a program needs; not for use");
  const std::int64_t now = wall_clock_us() / 1'000'000;
  for (const auto& rule : document.rules) {
    if (rule.place.file != document.file) continue;
    warn_of_past_windows(diagnostics, rule, now);
    if (rule.action == Action::deny) continue;
    warn_of_public_suffixes(diagnostics, rule.place, fmt::format("rule `{}`", rule.name), rule.hosts,
                            only_reads(rule) ? Suffixes::registries : Suffixes::all);
    warn_of_addresses(diagnostics, rule);
    warn_of_plain_http(diagnostics, rule);
    warn_of_writable_executables(diagnostics, rule);
  }
  for (const auto& credential : document.credentials) {
    if (credential.place.file != document.file) continue;
    warn_of_public_suffixes(diagnostics, credential.place, fmt::format("credential `{}`", credential.name), credential.hosts,
                            Suffixes::all);
    if (std::ranges::any_of(credential.hosts, [](const auto& host) { return host.kind == HostPattern::Kind::any; }))
      diagnostics.warning(credential.place,
                          fmt::format("credential `{}` goes to every host that a rule allows", credential.name),
                          "name the hosts that it is for");
    if (credential.insecure)
      diagnostics.warning(
          credential.place,
          fmt::format("credential `{}` may go over plain HTTP, where everyone on the way can read it", credential.name));
  }
}

}  // namespace weir::policy
