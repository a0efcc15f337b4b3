#include "policy/document/rule_keys.h"

#include <fmt/format.h>

#include <algorithm>

namespace weir::policy {

namespace {

constexpr std::array<std::string_view, 18> kAllKeys = {
    "name",    "hosts",         "tcp",      "tls",  "ports",     "methods", "paths",   "encoded_slash", "query",
    "headers", "content_types", "body_max", "rate", "websocket", "graphql", "jsonrpc", "mcp",           "addresses"};

class Finder {
 public:
  Finder(const Rule& rule, const std::function<bool(std::string_view)>& given) : rule_(rule), given_(given) {}

  std::vector<Contradiction> find() {
    if (given_("hosts") && given_("tcp")) {
      add("tcp", "a rule has either `hosts` or `tcp`", "make it two rules");
      return std::move(found_);
    }
    if (!given_("hosts") && !given_("tcp"))
      add("", "a rule needs the key `hosts`", "or `tcp`, for connections that carry no HTTP");
    if (given_("tcp"))
      only(kTcpKeys, "a rule with `tcp`");
    else if (given_("tls"))
      only(kPassthroughKeys, "a rule with `tls: passthrough`");
    else
      conditions();
    if (rule_.action == Action::deny) denial();
    return std::move(found_);
  }

 private:
  void add(std::string_view key, std::string message, std::string hint = {}) {
    found_.push_back({key, {std::move(message), std::move(hint)}});
  }

  template <class Keys>
  void only(const Keys& allowed, std::string_view what) {
    for (const auto key : kAllKeys)
      if (key != "tls" && given_(key) && std::ranges::find(allowed, key) == allowed.end())
        add(key, fmt::format("`{}` has no place in {}: such connections are not looked into", key, what), "remove it");
    if (given_("tcp") && given_("tls"))
      add("tls", "`tls: passthrough` has no place in a rule with `tcp`", "`tcp` carries any connection as it is");
    for (const auto& host : rule_.hosts)
      if (rule_.tcp && !host.port) {
        add("tcp", "each entry of `tcp` needs a port", "for instance: tcp: [\"db.internal.example:5432\"]");
        break;
      }
  }

  void conditions() {
    if (given_("encoded_slash") && !given_("paths"))
      add("encoded_slash", "`encoded_slash` has no effect without `paths`", "remove it, or add `paths`");
    std::string_view first;
    for (const auto key : kBodyFormats) {
      if (!given_(key)) continue;
      if (!first.empty())
        add(key, fmt::format("`{}` and `{}` can never both hold: a body is of one kind", first, key), "make it two rules");
      else
        first = key;
    }
    if (rule_.websocket == true) handshake();
  }

  void handshake() {
    for (const auto key : kNotInHandshakes)
      if (given_(key))
        add(key, fmt::format("`{}` can mean nothing beside `websocket: true`: a handshake has no body", key),
            "make it two rules");
    const auto has = [&](std::string_view method) {
      return std::ranges::find(rule_.methods, method) != rule_.methods.end();
    };
    if (!rule_.methods.empty() && !has("GET") && !has("CONNECT"))  // RFC 6455 §4.1, RFC 8441 §4
      add("methods", "a WebSocket handshake is a GET, so this rule can never match", "leave out `methods`");
  }

  void denial() {
    for (const auto key : kNotInDenials)
      if (given_(key))
        add(key,
            fmt::format("`{}` has no effect in a rule that denies: {}", key,
                        key == "addresses" ? "it names private addresses that may be reached" : "it limits what may pass"),
            key == "addresses" ? "remove it" : "put it into a rule that allows; what goes beyond is then denied");
    if (given_("tls") && !given_("tcp"))
      add("tls", "`tls: passthrough` has no place in a rule that denies",
          "leave it out: a denial without conditions on requests is for such connections too");
  }

  const Rule& rule_;
  const std::function<bool(std::string_view)>& given_;
  std::vector<Contradiction> found_;
};

}  // namespace

std::vector<Contradiction> find_contradictions(const Rule& rule, const std::function<bool(std::string_view key)>& given) {
  return Finder(rule, given).find();
}

}  // namespace weir::policy
