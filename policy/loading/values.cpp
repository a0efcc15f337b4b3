#include "policy/loading/values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <limits>

#include "base/paths.h"
#include "base/text.h"
#include "policy/canonical.h"
#include "policy/matching/ip_address.h"

namespace weir::policy {

namespace {

std::unexpected<Problem> problem(std::string message, std::string hint = {}) {
  return std::unexpected(Problem{std::move(message), std::move(hint)});
}

std::string shown(std::string_view text) { return printable(text, 200); }

// Digits only, no sign, no leading zeros.
std::optional<std::uint64_t> parse_number(std::string_view text) {
  if (text.empty() || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text[0] == '-') return std::nullopt;
  return value;
}

struct HostAndPort {
  std::string_view host;
  std::optional<std::uint16_t> port;
};

// The colon of a port is told from those of an IPv6 address by the brackets (RFC 3986 §3.2.2).
Read<HostAndPort> split_port(std::string_view text) {
  std::string_view host = text, port;
  bool has_port = false;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos)
      return problem(fmt::format("`{}` has no closing bracket", shown(text)), "write [::1] or [::1]:8443");
    host = text.substr(0, close + 1);
    const auto rest = text.substr(close + 1);
    if (!rest.empty() && rest[0] != ':')
      return problem(fmt::format("`{}` goes on after the bracket", shown(text)), "write [::1] or [::1]:8443");
    has_port = !rest.empty();
    if (has_port) port = rest.substr(1);
  } else if (const auto colon = text.find(':');
             colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    has_port = true;
  }
  if (!has_port) return HostAndPort{host, std::nullopt};
  const auto number = read_port(port);
  if (!number) return std::unexpected(number.error());
  return HostAndPort{host, *number};
}

}  // namespace

Read<std::uint16_t> read_port(std::string_view text) {
  const auto value = parse_number(text);
  if (!value || *value == 0 || *value > 65535)
    return problem(fmt::format("`{}` is not a port", shown(text)), "a port is a number from 1 to 65535");
  return static_cast<std::uint16_t>(*value);
}

Read<HostPattern> read_host_pattern(std::string_view text) {
  if (const auto scheme = text.find("://"); scheme != std::string_view::npos) {
    const auto rest = text.substr(scheme + 3);
    return problem(fmt::format("`{}` is a URL, and here a host is needed", shown(text)),
                   fmt::format("write `{}`", shown(rest.substr(0, rest.find_first_of("/?#")))));
  }
  if (text.find('/') != std::string_view::npos)
    return problem(fmt::format("`{}` is not a host", shown(text)), "paths go under `paths`, networks under `addresses`");
  const auto parts = split_port(text);
  if (!parts) return std::unexpected(parts.error());
  HostPattern pattern{.kind = HostPattern::Kind::exact, .name = {}, .port = parts->port};
  std::string_view name = parts->host;
  if (name == "*") {
    pattern.kind = HostPattern::Kind::any;
    return pattern;
  }
  if (name.starts_with("*.")) {
    pattern.kind = HostPattern::Kind::below;
    name.remove_prefix(2);
  }
  if (name.find('*') != std::string_view::npos)
    return problem(fmt::format("`{}` has a `*` in a place where it means nothing", shown(text)),
                   "`*.example.com` is every name below example.com; `*` alone is every name");
  auto canonical = canonical_host(name);
  if (!canonical) return problem(canonical.error().message);
  if (pattern.kind == HostPattern::Kind::below && is_ip_literal(*canonical))
    return problem(fmt::format("`{}`: there are no names below an address", shown(text)), "networks go under `addresses`");
  pattern.name = std::move(*canonical);
  return pattern;
}

Read<std::uint64_t> read_count(std::string_view text, std::uint64_t least, std::uint64_t most) {
  const auto value = parse_number(text);
  if (!value || *value < least || *value > most)
    return problem(fmt::format("`{}` is not a number from {} to {}", shown(text), least, most));
  return *value;
}

Read<std::uint64_t> read_size(std::string_view text) {
  struct Unit {
    std::string_view name;
    int shift;
  };
  constexpr std::array<Unit, 4> units = {{{"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}}};
  const std::string example = "a number of octets, or one with KiB, MiB, GiB or TiB: 100MiB";
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto unit = text.substr(digits);
  const auto value = parse_number(text.substr(0, digits));
  if (!value) return problem(fmt::format("`{}` is not a size", shown(text)), example);
  if (unit.empty()) return *value;
  const auto found = std::ranges::find(units, unit, &Unit::name);
  if (found == units.end()) {
    for (const auto& candidate : units)
      if (const auto typed = to_lower(trim(unit));
          !typed.empty() && typed.size() <= 3 && typed[0] == to_lower(candidate.name)[0])
        return problem(fmt::format("`{}` is not a size", shown(text)),
                       fmt::format("did you mean `{}{}`?", *value, candidate.name));
    return problem(fmt::format("`{}` is not a size", shown(text)), example);
  }
  if (*value > std::numeric_limits<std::uint64_t>::max() >> found->shift)
    return problem(fmt::format("`{}` is larger than can be counted", shown(text)), example);
  return *value << found->shift;
}

Read<std::uint32_t> read_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::uint32_t seconds;
  };
  constexpr std::array<Unit, 4> units = {{{"s", 1}, {"m", 60}, {"min", 60}, {"h", 3600}}};
  const std::string example = "a number with s, min or h: 30s, 5min, 1h";
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto value = parse_number(text.substr(0, digits));
  const auto unit = std::ranges::find(units, text.substr(digits), &Unit::name);
  if (!value || unit == units.end()) return problem(fmt::format("`{}` is not a length of time", shown(text)), example);
  if (*value == 0 || *value > kMaxApprovalSeconds / unit->seconds)
    return problem(fmt::format("`{}` is not between 1s and 24h", shown(text)), example);
  return static_cast<std::uint32_t>(*value) * unit->seconds;
}

Read<Rate> read_rate(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::uint32_t seconds;
  };
  constexpr std::array<Unit, 4> units = {{{"s", 1}, {"min", 60}, {"h", 3600}, {"day", 86400}}};
  const std::string example = "a number from 1 to 1000000 and /s, /min, /h or /day: 60/min";
  const auto slash = text.find('/');
  const auto count = parse_number(text.substr(0, slash));
  if (slash == std::string_view::npos || !count || *count == 0 || *count > kMaxRate)
    return problem(fmt::format("`{}` is not a rate", shown(text)), example);
  const auto unit = text.substr(slash + 1);
  if (const auto found = std::ranges::find(units, unit, &Unit::name); found != units.end())
    return Rate{static_cast<std::uint32_t>(*count), found->seconds};
  for (const auto& candidate : units)
    if (!unit.empty() && unit.front() == candidate.name.front())
      return problem(fmt::format("`{}` is not a rate", shown(text)),
                     fmt::format("did you mean `{}/{}`?", *count, candidate.name));
  return problem(fmt::format("`{}` is not a rate", shown(text)), example);
}

Read<FixedAddress> read_fixed_address(std::string_view host, std::string_view target) {
  auto name = canonical_host(host);
  if (!name) return problem(name.error().message, "the key is the host name alone, without a port");
  const auto parts = split_port(target);
  if (!parts) return std::unexpected(parts.error());
  auto literal = parts->host;
  if (literal.starts_with('[')) literal = literal.substr(1, literal.size() - 2);
  const auto address = parse_ip(literal);
  if (!address)
    return problem(fmt::format("`{}` is not an IP address", shown(target)),
                   "write 127.0.0.1, \"127.0.0.1:8443\" or \"[::1]:8443\"");
  return FixedAddress{.host = std::move(*name), .address = to_text(*address), .port = parts->port};
}

Read<std::string> read_proxy(std::string_view text) {
  const std::string example = "write http://host:port";
  constexpr std::string_view scheme = "http://";
  if (!text.starts_with(scheme)) return problem(fmt::format("`{}` is not an HTTP proxy", shown(text)), example);
  auto authority = text.substr(scheme.size());
  if (authority.ends_with('/')) authority.remove_suffix(1);
  if (authority.find('@') != std::string_view::npos)
    return problem("a user name or password for the proxy is not available in this version", example);
  const auto parts = split_port(authority);
  if (!parts) return std::unexpected(parts.error());
  if (!parts->port) return problem(fmt::format("`{}` has no port", shown(text)), example);
  const auto host = canonical_host(parts->host);
  if (!host) return problem(host.error().message, example);
  const bool v6 = host->find(':') != std::string::npos;
  return fmt::format("http://{}{}{}:{}", v6 ? "[" : "", *host, v6 ? "]" : "", *parts->port);
}

std::string resolve_path(std::string_view path, const std::string& file) {
  namespace fs = std::filesystem;
  if (path.starts_with("~/")) return (fs::path(home_directory()) / path.substr(2)).lexically_normal().string();
  std::error_code ignored;  // an unreadable working directory leaves the path as it is; opening it will say so
  const auto base = fs::absolute(fs::path(file), ignored).parent_path();
  return (base / path).lexically_normal().string();
}

}  // namespace weir::policy
