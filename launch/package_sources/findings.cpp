#include "launch/package_sources/findings.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/text.h"
#include "policy/policy.h"
#include "policy/target.h"

namespace weir::launch {

namespace {

constexpr std::array<const char*, 5> kPrivateNetworks = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
                                                         "fc00::/7"};

// What a URL's rule is made of.
struct Place {
  policy::Target target;
  std::string prefix;  // of the path, without a slash at its end; "" is the root
};

Result<Place> place_of(std::string_view url) {
  auto target = policy::parse_target(shown_url(url));
  if (!target) return fail("url", "it is not an http or https URL");
  if (target->scheme != "https" && target->scheme != "http") return fail("url", "it is not an http or https URL");
  if (target->websocket) return fail("url", "it is not an http or https URL");
  const auto& path = target->path;
  const auto usable = [](char c) { return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '*' && c != '%'; };
  if (path.ambiguous || path.encoded_slash || !std::ranges::all_of(path.decoded, usable))
    return fail("url", "its path could be read in more than one way");
  std::string prefix = path.decoded;
  while (prefix.ends_with('/')) prefix.pop_back();
  return Place{std::move(*target), std::move(prefix)};
}

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string host_pattern(const policy::Target& target) {
  return target.host.find(':') == std::string::npos ? target.host : "[" + target.host + "]";
}

// Everything of the rules but their names, so that what is said twice is written once.
std::vector<std::string> rules_of(const Origin& origin, const Place& place, const std::vector<std::string>& networks) {
  std::string start = fmt::format("    hosts: [{}]\n    ports: [{}]\n", quoted(host_pattern(place.target)), place.target.port);
  if (!networks.empty()) start += fmt::format("    addresses: [{}]\n", fmt::join(networks, ", "));
  if (origin.kind == Origin::Kind::git)
    return {start + fmt::format("    methods: [GET]\n    paths: [{}]\n    query: {{service: git-upload-pack}}\n",
                                quoted(place.prefix + "/info/refs")),
            start + fmt::format("    methods: [POST]\n    paths: [{}]\n", quoted(place.prefix + "/git-upload-pack"))};
  start += "    methods: [GET, HEAD]\n";
  const bool whole = origin.whole_host || place.prefix.empty();
  if (!whole) start += fmt::format("    paths: [{}, {}]\n", quoted(place.prefix), quoted(place.prefix + "/**"));
  if (whole && origin.encoded_slash) start += "    paths: [\"/**\"]\n";
  if (origin.encoded_slash) start += "    encoded_slash: allow\n";
  return {start};
}

// In a double-quoted YAML scalar or a comment: one line, nothing that ends it.
std::string plain(std::string_view text) {
  std::string out = printable(text, 500);
  std::ranges::replace_if(out, [](char c) { return c == '"' || c == '\\' || c == '`'; }, '?');
  return out;
}

class Writer {
 public:
  Writer(std::string_view tool, const Addresses& addresses) : tool_(tool), addresses_(addresses) {}

  void add(const Origin& origin) {
    const auto place = place_of(origin.url);
    if (!place) {
      notes_.push_back(fmt::format("{} {}: {}, so it is not allowed here", origin.role, shown_url(origin.url), place.error().message));
      return;
    }
    std::string all;
    const auto networks = networks_of(origin, *place);
    const auto written = rules_of(origin, *place, networks);
    for (const auto& rule : written) all += rule;
    if (std::ranges::find(seen_, all) != seen_.end()) return;
    seen_.push_back(all);
    rules_ += fmt::format("\n  # {}\n", plain(shown_url(origin.url)));
    if (!networks.empty()) rules_ += "  # The name leads to a private address, and the rule names its network.\n";
    for (std::size_t i = 0; i < written.size(); ++i)
      rules_ += fmt::format("  - name: \"{} {}{}\"\n{}", tool_, plain(origin.role), i > 0 ? ", objects" : "", written[i]);
  }
  void note(const std::string& text) { notes_.push_back(text); }

  std::string text(const Findings& findings) const {
    std::string out = fmt::format("# Where {} gets its packages on this host, as it says itself; read only.\n#\n", tool_);
    for (const auto& command : findings.asked) out += fmt::format("# Asked: {}\n", plain(command));
    for (const auto& sentence : notes_) out += fmt::format("# Not here: {}.\n", plain(sentence));
    out += "version: 1\n";
    if (rules_.empty()) return out + "\n# There is no place that a rule could allow.\n";
    return out + "\nrules:" + rules_;
  }

 private:
  std::vector<std::string> networks_of(const Origin& origin, const Place& place) {
    auto networks = networks_of(place.target.host);
    if (networks.empty() || origin.told_by.empty()) return networks;
    // SECURITY: G1, an answer from the network must not lead into a private one, unless it came from there.
    const auto teller = place_of(origin.told_by);
    if (teller && !networks_of(teller->target.host).empty()) return networks;
    notes_.push_back(fmt::format("the private address of {}, since {} is not at one itself", place.target.host, shown_url(origin.told_by)));
    return {};
  }
  std::vector<std::string> networks_of(const std::string& host) {
    const auto known = known_.find(host);
    if (known != known_.end()) return known->second;
    const auto found = policy::is_ip_literal(host) ? std::vector{host} : addresses_ ? addresses_(host) : std::vector<std::string>{};
    return known_[host] = private_networks_of(found);
  }

  std::string tool_;
  const Addresses& addresses_;
  std::map<std::string, std::vector<std::string>> known_;
  std::vector<std::string> seen_, notes_;
  std::string rules_;
};

}  // namespace

std::string shown_url(std::string_view url) {
  url = trim(url);
  std::string out;
  if (const auto mark = url.find("://"); mark != std::string_view::npos) {
    out = std::string(url.substr(0, mark + 3));
    url.remove_prefix(mark + 3);
  }
  const auto authority = url.substr(0, url.find_first_of("/?#"));
  const auto colon = authority.rfind(':');
  const bool port = colon == std::string_view::npos || authority.ends_with(']') ||
                    authority.find_first_not_of("0123456789", colon + 1) == std::string_view::npos;
  if (const auto at = authority.rfind('@'); at != std::string_view::npos)
    url.remove_prefix(at + 1);
  else if (!port)  // a password with an unescaped `/`, `?` or `#` in it
    url.remove_prefix(url.find('@') == std::string_view::npos ? url.size() : url.rfind('@') + 1);
  out += url.substr(0, url.find_first_of("?#"));
  return out;
}

std::string without_passwords(std::string_view text) {
  std::string out;
  for (;;) {
    const auto mark = text.find("://");
    if (mark == std::string_view::npos) return out.append(text);
    const auto end = std::min(text.find_first_of(" \t\n'\"`<>", mark), text.size());
    const auto at = text.substr(0, end).rfind('@');
    out += text.substr(0, mark + 3);
    text.remove_prefix(at != std::string_view::npos && at > mark ? at + 1 : mark + 3);
  }
}

std::vector<std::string> private_networks_of(const std::vector<std::string>& addresses) {
  std::vector<std::string> out;
  for (const char* network : kPrivateNetworks)
    if (std::ranges::any_of(addresses, [&](const auto& address) { return policy::address_in(address, network); })) out.emplace_back(network);
  return out;
}

std::string preset_text(std::string_view tool, const Findings& findings, const Addresses& addresses) {
  Writer writer(tool, addresses);
  for (const auto& note : findings.notes) writer.note(note);
  for (const auto& origin : findings.origins) writer.add(origin);
  return writer.text(findings);
}

}  // namespace weir::launch
