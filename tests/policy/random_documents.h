// Random documents that the loader would make, with every key of the language; seeds are fixed, so a failure can be
// repeated.
#pragma once

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/text.h"
#include "policy/canonical.h"
#include "policy/document.h"
#include "policy/document/check_credential.h"

namespace weir::policy {

class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}
  std::size_t below(std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(engine_); }
  bool one_in(std::size_t n) { return below(n) == 0; }
  template <class Range>
  auto pick(const Range& range) {
    return *(std::begin(range) + static_cast<std::ptrdiff_t>(below(std::size(range))));
  }
  // `least` or more of them, no two alike.
  template <class Range>
  std::vector<std::string> some(std::size_t least, const Range& range) {
    std::vector<std::string> values;
    for (std::size_t i = least + below(3); i > 0; --i) {
      const std::string value(pick(range));
      if (std::ranges::find(values, value) == values.end()) values.push_back(value);
    }
    return values;
  }
  std::mt19937& engine() { return engine_; }

 private:
  std::mt19937 engine_;
};

struct RandomKeys {  // which part of the language
  bool tunnels = true;
  bool ask = true;
  bool conditions = true;  // beyond methods and paths
  bool limits = true;      // body_max and rate
};

namespace random_documents {

constexpr const char* kHosts[] = {"a.com", "x.a.com",  "y.x.a.com", "b.com",
                                  "com",   "10.0.0.1", "::1",       "xn--bcher-kva.example"};
constexpr const char* kMethods[] = {"GET", "POST", "HEAD", "ON"};
constexpr const char* kPaths[] = {"/",   "/a",  "/a/*", "/a/**", "/**/b", "/*/b",
                                  "/**", "/a*", "/a b", "/a\"b", "/a,b",  "/{x}"};
constexpr const char* kGlobs[] = {"*", "1", "yes", "null", "a*", "data-*", "x y", "\"", "a: b", "é", "- ", "1.5e3", "~"};
constexpr const char* kNames[] = {"service", "page", "q", "on", "1", "a-b"};
constexpr const char* kHeaders[] = {"x-team", "accept", "x-1"};
constexpr const char* kTypes[] = {"application/json", "image/*", "*/*+json"};
constexpr const char* kZones[] = {"", "UTC", "Europe/Berlin"};
constexpr const char* kNetworks[] = {"10.0.0.0/8", "fd00::/8", "192.168.0.0/16"};
constexpr const char* kPrograms[] = {"/usr/bin/git", "/usr/lib/git-core/**"};
constexpr const char* kOperations[] = {"query", "mutation", "subscription"};
constexpr const char* kFields[] = {"viewer", "repo*", "*"};
constexpr const char* kRpcMethods[] = {"initialize", "tools/call", "eth_get*", "notifications/*"};
constexpr std::uint16_t kPorts[] = {443, 80, 8443, 5432};

inline HostPattern host(Dice& dice, bool with_port) {
  HostPattern pattern;
  pattern.name = dice.pick(kHosts);
  if (!is_ip_literal(pattern.name) && dice.one_in(3)) pattern.kind = HostPattern::Kind::below;
  if (dice.one_in(8)) pattern = {HostPattern::Kind::any, "", {}};
  if (with_port || dice.one_in(4)) pattern.port = dice.pick(kPorts);
  return pattern;
}

inline std::vector<HostPattern> hosts(Dice& dice, bool with_port = false) {
  std::vector<HostPattern> all;
  for (std::size_t i = 1 + dice.below(3); i > 0; --i)
    if (const auto one = host(dice, with_port); std::ranges::find(all, one) == all.end()) all.push_back(one);
  return all;
}

inline std::vector<NamedGlob> named_globs(Dice& dice, const auto& names) {
  std::vector<NamedGlob> globs;
  for (const auto& name : dice.some(1, names)) globs.push_back({name, dice.pick(kGlobs)});
  return globs;
}

inline TimeWindow window(Dice& dice) {
  TimeWindow window;
  if (dice.one_in(3)) {
    window.kind = TimeWindow::Kind::interval;
    window.begin = 1'700'000'000 + static_cast<std::int64_t>(dice.below(100'000)) * 60;
    window.end = window.begin + 1 + static_cast<std::int64_t>(dice.below(100'000));
    return window;
  }
  window.days = static_cast<std::uint8_t>(dice.one_in(3) ? 0x7f : 1 + dice.below(0x7f));
  window.zone = dice.pick(kZones);
  if (window.zone == "Europe/Berlin") window.zone_rule = "CET-1CEST,M3.5.0,M10.5.0/3";
  if (window.days == 0x7f || dice.one_in(2)) {  // every day and all day is no window
    window.from = static_cast<std::uint16_t>(dice.below(1440));
    window.to = static_cast<std::uint16_t>(dice.below(1441));
    if (window.from == 0 && window.to == 1440) window.to = 60;
  }
  return window;
}

inline void add_conditions(Dice& dice, Rule& rule) {
  if (dice.one_in(4)) rule.query = named_globs(dice, kNames);
  if (dice.one_in(4)) rule.headers = named_globs(dice, kHeaders);
  if (dice.one_in(5)) rule.content_types = dice.some(1, kTypes);
  if (dice.one_in(5)) rule.websocket = dice.one_in(2);
  if (dice.one_in(5)) {
    rule.graphql = GraphqlCondition{dice.some(0, kOperations), {}};
    rule.graphql->fields = dice.some(rule.graphql->operations.empty() ? 1 : 0, kFields);
  } else if (dice.one_in(4)) {
    rule.rpc = RpcCondition{.mcp = dice.one_in(2), .methods = {}, .tools = {}};
    if (rule.rpc->mcp) rule.rpc->tools = dice.some(0, kFields);
    rule.rpc->methods = dice.some(rule.rpc->tools.empty() ? 1 : 0, kRpcMethods);
    // `tools` narrows tools/call; methods that leave it out would make it a key without effect.
    if (!rule.rpc->tools.empty() && !rule.rpc->methods.empty() &&
        std::ranges::find(rule.rpc->methods, "tools/call") == rule.rpc->methods.end())
      rule.rpc->methods.push_back("tools/call");
  }
}

inline Injection injection(Dice& dice, const std::string& name) {
  using Kind = Injection::Kind;
  Injection inject{.kind = static_cast<Kind>(1 + dice.below(6)), .name = {}, .format = {}, .username = {}, .region = {}, .service = {}};
  constexpr const char* kFormats[] = {"{secret}", "Bearer {secret} \"x\"", "{secret}{secret}", "a, b: {secret} #"};
  constexpr const char* kParameters[] = {"key", "filter[a]", "1", "a:b", "off", "{x}"};
  constexpr const char* kUsers[] = {"x-access-token", "", "a b", "\u00fc", "1", "- "};
  switch (inject.kind) {
    case Kind::header:
      inject.name = dice.one_in(4) ? "Cookie" : "X-" + name;
      inject.format = dice.pick(kFormats);
      break;
    case Kind::basic:
      inject.username = dice.pick(kUsers);
      inject.format = dice.pick(kFormats);
      break;
    case Kind::query:
      inject.name = dice.pick(kParameters);
      inject.format = dice.pick(kFormats);
      break;
    case Kind::cookie:
      inject.name = dice.one_in(2) ? "sid" : "1";
      inject.format = dice.one_in(2) ? "{secret}" : "v={secret}";
      break;
    case Kind::aws_sigv4:
      if (dice.one_in(2)) inject.region = "eu-central-1";
      if (dice.one_in(2)) inject.service = "s3";
      break;
    default:
      break;
  }
  return inject;
}

inline Substitution substitution(Dice& dice, const std::string& name) {
  constexpr const char* kShapes[] = {"{random:16}", "sk_live_{random:24}", "{claims}.{random:43}", "a={random:8}/~{random:8}", "-{random:256}"};
  Substitution substitute;
  substitute.shape = dice.pick(kShapes);
  if (dice.one_in(2)) substitute.env = dice.one_in(4) ? "SAME" : "T_" + std::to_string(name.size());
  substitute.in_query = dice.one_in(3);
  substitute.in_path = dice.one_in(3);
  substitute.in_body = dice.one_in(3);
  substitute.in_header = dice.one_in(2) || !(substitute.in_query || substitute.in_path || substitute.in_body);
  substitute.elsewhere_logged = dice.one_in(3);
  return substitute;
}

inline std::vector<std::pair<std::string, std::string>> pairs(Dice& dice, const auto& names, const auto& values) {
  std::vector<std::pair<std::string, std::string>> all;
  for (const auto& one : dice.some(0, names)) all.emplace_back(one, dice.pick(values));
  return all;
}

inline Refresh refresh(Dice& dice, bool role) {
  using Kind = Refresh::Kind;
  constexpr const char* kUrls[] = {"https://login.example.com/token?a=b", "http://127.0.0.1:8080/t", "http://[::1]:1", "https://a.com"};
  constexpr const char* kBases[] = {"https://sts.example.com", "https://git.example/api/v3", "http://127.0.0.1:1"};
  constexpr const char* kClients[] = {"me", "12345", "Iv1.a", "a#b:c"};
  constexpr const char* kScopes[] = {"read", "https://x.example/auth/a", "a:b", "on"};
  constexpr const char* kParameters[] = {"audience", "1", "a b"};
  constexpr const char* kPermissions[] = {"contents", "pull_requests"};
  constexpr const char* kAccess[] = {"read", "write"};
  Refresh refresh;
  refresh.kind = role ? Kind::aws_role : static_cast<Kind>(1 + dice.below(3));
  switch (refresh.kind) {
    case Kind::oauth2:
      refresh.url = dice.pick(kUrls);
      refresh.grant = dice.one_in(2) ? "client_credentials" : "refresh_token";
      refresh.client_id = dice.pick(kClients);
      if (refresh.grant == "refresh_token" && dice.one_in(2)) refresh.client_secret = dice.one_in(2) ? "file:/a b" : "store:s@1";
      refresh.secret_in_body = dice.one_in(2) && (refresh.grant == "client_credentials" || !refresh.client_secret.empty());
      refresh.scopes = dice.some(0, kScopes);
      refresh.parameters = pairs(dice, kParameters, kGlobs);
      break;
    case Kind::github_app:
      refresh.url = dice.one_in(2) ? "https://api.github.com" : dice.pick(kBases);
      refresh.client_id = dice.pick(kClients);
      refresh.account = "678";
      if (dice.one_in(2)) refresh.scopes = {"site", "1"};
      refresh.parameters = pairs(dice, kPermissions, kAccess);
      break;
    case Kind::google:
      refresh.scopes = dice.some(1, kScopes);
      if (dice.one_in(2)) refresh.account = "a@b.example";
      if (dice.one_in(2)) refresh.url = dice.pick(kUrls);
      break;
    default:
      refresh.account = "arn:aws:iam::123456789012:role/a/b";
      refresh.region = "eu-central-1";
      if (dice.one_in(2)) refresh.session = "a@b";
      if (dice.one_in(2)) refresh.duration_seconds = 900 + static_cast<std::uint32_t>(dice.below(10'000));
      if (dice.one_in(2)) refresh.url = dice.pick(kBases);
      refresh.web_identity = dice.one_in(2);
      if (!refresh.web_identity) refresh.external_id = dice.one_in(2) ? "a:b/1" : "";
  }
  return refresh;
}

}  // namespace random_documents

inline Rule random_rule(Dice& dice, int number, const RandomKeys& keys = {}) {
  using namespace random_documents;
  constexpr const char* kRuleNames[] = {"read", "no: gists", "true", "42",   "# 1",         " x",
                                        "it's", "ünï",       "a\nb", "0x1f", "\xE2\x80\xA8"};
  Rule rule;
  rule.name = dice.one_in(3) ? "rule " + std::to_string(number) : std::string(dice.pick(kRuleNames));
  const Action actions[] = {Action::allow, Action::log, Action::deny, keys.ask ? Action::ask : Action::allow};
  rule.action = dice.pick(actions);
  rule.tcp = keys.tunnels && dice.one_in(8);
  rule.passthrough = keys.tunnels && !rule.tcp && dice.one_in(8);
  rule.hosts = hosts(dice, rule.tcp);
  if (!rule.tcp && dice.one_in(4))
    for (const auto port : kPorts)
      if (dice.one_in(3)) rule.ports.push_back(port);
  if (!rule.is_tunnel()) {
    if (dice.one_in(2)) rule.methods = dice.some(1, kMethods);
    if (dice.one_in(2)) rule.paths = dice.some(1, kPaths);
    if (!rule.paths.empty()) rule.encoded_slash = dice.one_in(2);
    if (keys.conditions) add_conditions(dice, rule);
  }
  if (keys.conditions && dice.one_in(6))
    for (std::size_t i = 1 + dice.below(2); i > 0; --i)
      if (const auto one = window(dice); std::ranges::find(rule.when, one) == rule.when.end()) rule.when.push_back(one);
  if (keys.conditions && dice.one_in(6)) rule.process = dice.some(1, kPrograms);
  if (rule.action != Action::deny) {
    constexpr std::uint64_t kSizes[] = {1, 1000, 1024, 5U << 20, 3ULL << 40};
    constexpr std::uint32_t kSeconds[] = {1, 60, 3600, 86400};
    if (dice.one_in(2)) rule.addresses = dice.some(0, kNetworks);
    if (keys.limits && !rule.is_tunnel() && dice.one_in(5)) rule.body_max = dice.pick(kSizes);
    if (keys.limits && dice.one_in(5))
      rule.rate = Rate{static_cast<std::uint32_t>(1 + dice.below(1000)), dice.pick(kSeconds)};
  }
  rule.place = {"/p.yaml", number, 1};
  return rule;
}

inline Credential random_credential(Dice& dice, const std::string& name) {
  using namespace random_documents;
  constexpr const char* kSources[] = {"env:A", "file:/a b/#c", "store:x/y", "file:/a: b", "store:z@3", "exec:[\"/bin/x\",\"\"]", "vault:a/b?c=d#e"};
  Credential credential{.name = name, .from = dice.pick(kSources), .hosts = hosts(dice), .insecure = dice.one_in(2), .place = {"/p.yaml", 2, 1}};
  if (credential.from.starts_with("exec:") && dice.one_in(2)) credential.ttl_seconds = 90;
  if (dice.one_in(3))
    credential.substitute = substitution(dice, name);
  else
    credential.inject = injection(dice, name);
  if (name == "kept" && credential.substitutes()) credential.from = "store:kept/token";
  const bool signs = credential.inject.kind == Injection::Kind::aws_sigv4;
  if (dice.one_in(signs ? 2 : 3)) credential.refresh = refresh(dice, signs);
  if (check_credential(credential)) credential.refresh = {};
  if (check_credential(credential)) credential.insecure = false;
  return credential;
}

// Of the credentials that can keep tokens.
inline std::optional<OAuthCapture> random_capture(Dice& dice, const Document& document) {
  using namespace random_documents;
  constexpr const char* kTokenPaths[] = {"/", "/oauth/token", "/a:b/@c"};
  constexpr const char* kMembers[] = {"access_token", "refresh_token", "authed_user.access_token", "1"};
  OAuthCapture capture{dice.pick(kHosts), dice.one_in(3) ? dice.pick(kPorts) : std::uint16_t{443}, dice.pick(kTokenPaths), {}, {"/p.yaml", 3, 1}};
  auto members = dice.some(1, kMembers);
  for (const auto& credential : document.credentials) {
    const bool keeps = credential.substitutes() && credential.from.starts_with("store:") && !credential.from.contains('@');
    if (keeps && !members.empty()) capture.keep.emplace_back(members.back(), credential.name), members.pop_back();
  }
  return capture.keep.empty() ? std::nullopt : std::optional(std::move(capture));
}

inline Document random_document(Dice& dice, const RandomKeys& keys = {}) {
  using namespace random_documents;
  Document document;
  document.file = "/p.yaml";
  const Action defaults[] = {Action::deny, Action::deny, Action::log, keys.ask ? Action::ask : Action::deny};
  document.default_action = dice.pick(defaults);
  const auto count = static_cast<int>(dice.below(7));
  for (int i = 0; i < count; ++i) document.rules.push_back(random_rule(dice, i + 1, keys));
  for (const char* name : {"token", "1", "a.b", "kept", "off"})
    if (dice.one_in(3)) document.credentials.push_back(random_credential(dice, name));
  if (dice.one_in(2))
    if (auto capture = random_capture(dice, document)) document.oauth.push_back(std::move(*capture));
  if (dice.one_in(3)) document.leaks = static_cast<Leaks>(dice.below(4));
  const auto maybe_port = [&] { return dice.one_in(2) ? std::optional<std::uint16_t>(8443) : std::nullopt; };
  if (dice.one_in(3)) document.upstream.resolve.push_back({"a.com", "127.0.0.1", maybe_port()});
  if (dice.one_in(3)) document.upstream.resolve.push_back({"::1", "::1", maybe_port()});
  if (dice.one_in(3)) document.upstream.proxy = dice.one_in(2) ? "http://proxy.example:3128" : "http://[::1]:3128";
  if (dice.one_in(3)) document.upstream.ca_file = "/etc/corp root.pem";
  if (dice.one_in(3)) document.limits.connections = static_cast<std::uint32_t>(1 + dice.below(1000));
  if (dice.one_in(3)) document.limits.request_body = dice.below(1U << 30);
  if (dice.one_in(3)) document.limits.response_body = (1 + dice.below(100)) << 20;
  if (dice.one_in(3)) document.limits.requests_per_minute = static_cast<std::uint32_t>(1 + dice.below(1000));
  if (dice.one_in(3) && keys.conditions) document.limits.inspected_body = dice.below(3) * 2048 + dice.below(2);
  if (dice.one_in(3) && keys.ask) document.limits.approval_seconds = static_cast<std::uint32_t>(1 + dice.below(4000));
  return document;
}

// What nobody writes and the loader takes.
inline void add_oddities(Dice& dice, Rule& rule) {
  const std::string kLong(900 + dice.below(120), 'x');
  const std::string odd[] = {"",      " ",    "?",     "- a",   "a: b", "a #b",  "#",          "{a",           "]",
                             "é",     "\u202e", "\ufeff", "\u00a0", "'",    "\"\"",  "\\",         "%2F",          "\U0001F600",
                             "\u2028", "@",    "!x",    "&x",    "|",    ">",     "---",        "...",          "%YAML",
                             "0o17",  "1_0",  ".inf",  "=",     "<<",   "null",  "2026-01-01", "12:30:45",     "~",
                             "\u0085", "\uffff", "a\u00adb", "x ",    ",",    kLong,   "\"" + kLong, "é" + kLong};
  const auto word = [&](bool may_be_empty) {
    std::string text = dice.pick(odd) + (dice.one_in(3) ? dice.pick(odd) : "");
    if (text.size() > 1024) text = kLong;
    return !may_be_empty && trim(text).empty() ? std::string("x") : text;
  };
  if (dice.one_in(2)) rule.name = word(false).substr(0, 200);
  if (valid_utf8_prefix(rule.name) != rule.name.size()) rule.name = "cut";
  for (auto& one : rule.query)
    if (dice.one_in(2)) one.glob = word(true);
  if (!rule.query.empty() && dice.one_in(2)) rule.query.front().name = word(false);
  for (auto& one : rule.headers)
    if (dice.one_in(2)) one.glob = word(true);
  if (rule.graphql && !rule.graphql->fields.empty() && dice.one_in(2)) rule.graphql->fields.front() = word(false);
  if (rule.rpc && !rule.rpc->methods.empty() && dice.one_in(2)) rule.rpc->methods.front() = rule.rpc->mcp && dice.one_in(4) ? "" : word(false);
  if (rule.rpc && !rule.rpc->tools.empty() && dice.one_in(2)) rule.rpc->tools.front() = word(false);
  if (rule.rpc && dice.one_in(8)) rule.rpc = RpcCondition{.mcp = rule.rpc->mcp, .methods = {}, .tools = {}};
  if (rule.graphql && dice.one_in(8)) rule.graphql = GraphqlCondition{};
  if (!rule.paths.empty() && dice.one_in(2)) rule.paths.front() = "/" + word(true);
  if (rule.encoded_slash && dice.one_in(2)) rule.paths.push_back("/a%2Fb");
  if (!rule.process.empty() && dice.one_in(2)) rule.process.front() = "/" + word(true);
  const auto only_once = [](std::vector<std::string>& words) {
    if (!words.empty() && std::ranges::count(words, words.front()) > 1) words.erase(words.begin());
  };
  only_once(rule.paths), only_once(rule.process);
  if (rule.graphql) only_once(rule.graphql->fields);
  if (rule.rpc) only_once(rule.rpc->methods), only_once(rule.rpc->tools);
}

// Of every key, only what goes together: check_document() decides, as it does for the loader.
inline Document loadable_document(Dice& dice) {
  const auto any = random_document(dice);
  Document document = any;
  document.rules.clear();
  document.credentials.clear();
  document.oauth.clear();
  const auto goes = [&] { return check_document(document).has_value(); };
  for (const auto& rule : any.rules) {
    document.rules.push_back(rule);
    auto& added = document.rules.back();
    add_oddities(dice, added);
    if (!goes() && (added = rule, !goes())) document.rules.pop_back();
    // What the loader alone refuses: a pattern with an encoded slash that nothing can match.
    const auto has_slash = [](const std::string& path) { return path.find("%2F") != std::string::npos; };
    if (!document.rules.empty() && !document.rules.back().encoded_slash)
      std::erase_if(document.rules.back().paths, has_slash);
  }
  for (const auto& credential : any.credentials) {
    document.credentials.push_back(credential);
    if (!goes()) document.credentials.pop_back();
  }
  for (const auto& capture : any.oauth) {
    document.oauth.push_back(capture);
    if (!goes()) document.oauth.pop_back();
  }
  return document;
}

// Two documents that mean the same, wherever they were written.
inline Document without_places(Document document) {
  for (auto& rule : document.rules) rule.place = {};
  for (auto& credential : document.credentials) credential.place = {};
  for (auto& capture : document.oauth) capture.place = {};
  return document;
}

// For messages of tests: which part differs.
inline std::string first_difference(const Document& a, const Document& b) {
  if (a.file != b.file) return "file";
  if (a.default_action != b.default_action) return "default";
  if (a.use != b.use) return "use";
  if (a.rules.size() != b.rules.size()) return "number of rules";
  for (std::size_t i = 0; i < a.rules.size(); ++i)
    if (a.rules[i] != b.rules[i]) return "rule " + std::to_string(i + 1);
  if (a.credentials != b.credentials) return "credentials";
  if (a.oauth != b.oauth) return "oauth";
  if (a.leaks != b.leaks) return "leaks";
  if (a.upstream != b.upstream) return "upstream";
  return a.limits != b.limits ? "limits" : "";
}

}  // namespace weir::policy
