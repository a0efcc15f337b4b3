#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/text.h"
#include "policy/formatting.h"
#include "policy/formatting/map_layout.h"
#include "policy/formatting/written.h"
#include "policy/matching/coverage.h"
#include "policy/policy.h"

namespace weir::policy {

std::string written(const HostPattern& pattern) { return to_text(pattern); }

std::string written(const Rate& rate) {
  const std::string_view unit = rate.seconds == 1 ? "s" : rate.seconds == 60 ? "min" : rate.seconds == 3600 ? "h" : "day";
  return fmt::format("{}/{}", rate.count, unit);
}

std::string written(const FixedAddress& fixed) {
  if (!fixed.port) return fixed.address;
  const bool v6 = fixed.address.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", fixed.address, v6 ? "]" : "", *fixed.port);
}

std::string written_size(std::uint64_t octets) {
  constexpr std::array<std::pair<int, std::string_view>, 4> kUnits = {{{40, "TiB"}, {30, "GiB"}, {20, "MiB"}, {10, "KiB"}}};
  for (const auto& [shift, name] : kUnits)
    if (octets != 0 && (octets & ((std::uint64_t{1} << shift) - 1)) == 0) return fmt::format("{}{}", octets >> shift, name);
  return fmt::format("{}", octets);
}

std::string written_duration(std::uint32_t seconds) {
  if (seconds != 0 && seconds % 3600 == 0) return fmt::format("{}h", seconds / 3600);
  if (seconds != 0 && seconds % 60 == 0) return fmt::format("{}min", seconds / 60);
  return fmt::format("{}s", seconds);
}

namespace {

void add_globs(Map& map, std::string_view key, const std::vector<NamedGlob>& globs) {
  if (globs.empty()) return;
  Map inner;
  for (const auto& glob : globs) inner.word(glob.name, glob.glob);
  map.add(key, std::move(inner.node));
}

void add_operations(Map& map, const Rule& rule) {
  if (rule.graphql) {
    Map inner;
    inner.words("operations", rule.graphql->operations);
    inner.words("fields", rule.graphql->fields);
    map.add("graphql", std::move(inner.node));
  }
  if (rule.rpc) {
    Map inner;
    inner.words("methods", rule.rpc->methods);
    inner.words("tools", rule.rpc->tools);
    map.add(rule.rpc->mcp ? "mcp" : "jsonrpc", std::move(inner.node));
  }
}

Layout layout_of(const Rule& rule, std::size_t number) {
  Map map(true);
  if (rule.name != fmt::format("rule {}", number)) map.word("name", rule.name);
  map.list(rule.tcp ? "tcp" : "hosts", rule.hosts, quoted_written<HostPattern>);
  if (rule.passthrough) map.word("tls", "passthrough");
  map.list("ports", rule.ports, [](std::uint16_t port) { return std::to_string(port); });
  map.words("methods", rule.methods);
  map.words("paths", rule.paths);
  if (rule.encoded_slash) map.word("encoded_slash", "allow");
  add_globs(map, "query", rule.query);
  add_globs(map, "headers", rule.headers);
  map.words("content_types", rule.content_types);
  if (rule.websocket) map.bare("websocket", *rule.websocket ? "true" : "false");
  add_operations(map, rule);
  map.words("process", rule.process);
  map.list("when", rule.when, quoted_written<TimeWindow>);
  if (rule.body_max) map.bare("body_max", written_size(*rule.body_max));
  if (rule.rate) map.word("rate", written(*rule.rate));
  map.words("addresses", rule.addresses);
  if (rule.action != Action::allow) map.word("action", name_of(rule.action));
  return std::move(map.node);
}

Layout layout_of(const Upstream& upstream) {
  Map map(true), resolve;
  if (!upstream.ca_file.empty()) map.word("ca_file", upstream.ca_file);
  if (!upstream.proxy.empty()) map.word("proxy", upstream.proxy);
  for (const auto& fixed : upstream.resolve) resolve.word(fixed.host, written(fixed));
  if (!upstream.resolve.empty()) map.add("resolve", std::move(resolve.node));
  return std::move(map.node);
}

Layout layout_of(const VaultServer& vault) {
  Map map(true), login;
  const auto words = [](Map& to, std::initializer_list<std::pair<std::string_view, const std::string&>> all) {
    for (const auto& [key, text] : all)
      if (!text.empty()) to.word(key, text);
  };
  words(map, {{"address", vault.address}, {"namespace", vault.name_space}, {"ca_file", vault.ca_file}, {"ca_path", vault.ca_path},
              {"client_certificate", vault.client_certificate}, {"client_key", vault.client_key}, {"server_name", vault.server_name}});
  words(login, {{"method", vault.method}, {"mount", vault.mount}, {"role", vault.role}, {"user", vault.user}, {"secret", vault.secret}});
  if (vault.wrapped) login.bare("wrapped", "true");
  if (!vault.method.empty()) map.add("auth", std::move(login.node));
  return std::move(map.node);
}

Layout layout_of(const Limits& limits) {
  const Limits usual;
  Map map;
  if (limits.connections != usual.connections) map.bare("connections", std::to_string(limits.connections));
  if (limits.request_body != usual.request_body) map.bare("request_body", written_size(limits.request_body));
  if (limits.response_body != usual.response_body) map.bare("response_body", written_size(limits.response_body));
  if (limits.requests_per_minute != usual.requests_per_minute)
    map.bare("requests_per_minute", std::to_string(limits.requests_per_minute));
  if (limits.inspected_body != usual.inspected_body) map.bare("inspected_body", written_size(limits.inspected_body));
  if (limits.approval_seconds != usual.approval_seconds)
    map.bare("approval_wait", written_duration(limits.approval_seconds));
  return std::move(map.node);
}

}  // namespace

std::string to_yaml(const Document& document, std::span<const std::string> comments) {
  const auto from_preset = [&](const Place& place) {
    return !document.use.empty() && place.file != document.file && place.file.starts_with("preset:");
  };
  Map root(true), credentials(true);
  Layout rules;
  rules.kind = Layout::Kind::sequence;
  rules.spread = rules.airy = credentials.node.airy = true;
  for (std::size_t i = 0; i < document.rules.size(); ++i) {
    if (from_preset(document.rules[i].place)) continue;
    auto rule = layout_of(document.rules[i], rules.children.size() + 1);
    if (i < comments.size() && !comments[i].empty())
      for (const auto line : split(comments[i], '\n')) rule.above.push_back({fmt::format("# {}", printable(line)), false});
    rules.children.push_back(std::move(rule));
  }
  for (const auto& credential : document.credentials)
    if (!from_preset(credential.place)) credentials.add(credential.name, layout_of(credential));
  Layout oauth;
  oauth.kind = Layout::Kind::sequence;
  oauth.spread = oauth.airy = true;
  for (const auto& capture : document.oauth)
    if (!from_preset(capture.place)) oauth.children.push_back(layout_of(capture));

  root.bare("version", "1");
  if (document.default_action != Action::deny) root.word("default", name_of(document.default_action));
  root.words("use", document.use);
  if (!credentials.node.children.empty()) root.add("credentials", std::move(credentials.node));
  if (!oauth.children.empty()) root.add("oauth", std::move(oauth));
  if (document.leaks != Leaks::log) root.bare("leaks", written(document.leaks));
  if (!rules.children.empty()) root.add("rules", std::move(rules));
  if (auto upstream = layout_of(document.upstream); !upstream.children.empty()) root.add("upstream", std::move(upstream));
  if (auto vault = layout_of(document.vault); !vault.children.empty()) root.add("vault", std::move(vault));
  if (auto limits = layout_of(document.limits); !limits.children.empty()) root.add("limits", std::move(limits));
  return print(root.node);
}

}  // namespace weir::policy
