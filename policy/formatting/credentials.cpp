#include <array>
#include <nlohmann/json.hpp>

#include "policy/document/check_credential.h"
#include "policy/formatting/map_layout.h"

namespace weir::policy {

namespace {

using Kind = Injection::Kind;
using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view kGithub = "https://api.github.com";

void add_word(Map& map, std::string_view key, const std::string& text) {
  if (!text.empty()) map.word(key, text);
}

void add_pairs(Map& map, std::string_view key, const Pairs& pairs) {
  if (pairs.empty()) return;
  Map inner;
  for (const auto& [name, value] : pairs) inner.word(name, value);
  map.add(key, std::move(inner.node));
}

Layout layout_of(const Injection& inject) {
  if (inject.kind == Kind::client_certificate) return Map::scalar("client_certificate");
  Map map, inner;
  switch (inject.kind) {
    case Kind::header:
    case Kind::query:
    case Kind::cookie:
      map.word(inject.kind == Kind::header ? "header" : inject.kind == Kind::query ? "query" : "cookie", inject.name);
      if (inject.kind == Kind::header || inject.format != kWholeSecret) map.word("format", inject.format);
      break;
    case Kind::basic:
      inner.word("username", inject.username);
      if (inject.format != kWholeSecret) inner.word("password", inject.format);
      map.add("basic", std::move(inner.node));
      break;
    case Kind::aws_sigv4:
      add_word(inner, "region", inject.region);
      add_word(inner, "service", inject.service);
      map.add("aws_sigv4", std::move(inner.node));
      break;
    case Kind::none:
    case Kind::client_certificate:
      break;
  }
  return std::move(map.node);
}

Layout layout_of(const Substitution& substitute) {
  Map map;
  add_word(map, "env", substitute.env);
  map.word("shape", substitute.shape);
  std::vector<std::string> places;
  if (substitute.in_header) places.emplace_back("header");
  if (substitute.in_query) places.emplace_back("query");
  if (substitute.in_path) places.emplace_back("path");
  if (substitute.in_body) places.emplace_back("body");
  if (places != std::vector<std::string>{"header"}) map.words("in", places);
  if (substitute.elsewhere_logged) map.word("elsewhere", "log");
  return std::move(map.node);
}

Map oauth2(const Refresh& refresh) {
  Map map;
  map.word("token_url", refresh.url);
  map.word("grant", refresh.grant);
  map.word("client_id", refresh.client_id);
  add_word(map, "client_secret", refresh.client_secret);
  if (refresh.secret_in_body) map.word("client_auth", "body");
  map.words("scopes", refresh.scopes);
  add_pairs(map, "parameters", refresh.parameters);
  return map;
}

Map github_app(const Refresh& refresh) {
  Map map;
  map.word("app", refresh.client_id);
  map.word("installation", refresh.account);
  if (refresh.url != kGithub) map.word("api", refresh.url);
  map.words("repositories", refresh.scopes);
  add_pairs(map, "permissions", refresh.parameters);
  return map;
}

Map google(const Refresh& refresh) {
  Map map;
  map.words("scopes", refresh.scopes);
  add_word(map, "subject", refresh.account);
  add_word(map, "token_url", refresh.url);
  return map;
}

Map aws_role(const Refresh& refresh) {
  Map map;
  map.word("role", refresh.account);
  map.word("region", refresh.region);
  add_word(map, "session", refresh.session);
  add_word(map, "external_id", refresh.external_id);
  if (refresh.duration_seconds != 0) map.bare("duration", written_duration(refresh.duration_seconds));
  if (refresh.web_identity) map.bare("web_identity", "true");
  add_word(map, "endpoint", refresh.url);
  return map;
}

Layout layout_of(const Refresh& refresh) {
  Map map;
  switch (refresh.kind) {
    case Refresh::Kind::none:
      break;
    case Refresh::Kind::oauth2:
      map.add("oauth2", oauth2(refresh).node);
      break;
    case Refresh::Kind::github_app:
      map.add("github_app", github_app(refresh).node);
      break;
    case Refresh::Kind::google:
      map.add("google", google(refresh).node);
      break;
    case Refresh::Kind::aws_role:
      map.add("aws_role", aws_role(refresh).node);
      break;
  }
  return std::move(map.node);
}

}  // namespace

std::string written(const Injection& inject) { return inline_text(layout_of(inject)); }
std::string written(const Substitution& substitute) { return inline_text(layout_of(substitute)); }
std::string written(const Refresh& refresh) { return inline_text(layout_of(refresh)); }

std::string written(Leaks leaks) {
  constexpr std::array<std::string_view, 4> kWords = {"off", "log", "ask", "deny"};
  return std::string(kWords.at(static_cast<std::size_t>(leaks)));
}

Layout layout_of(const Credential& credential) {
  Map map(true);
  if (credential.from.starts_with("exec:[")) {
    Map from;
    from.words("exec", nlohmann::json::parse(credential.from.substr(5)).get<std::vector<std::string>>());
    map.add("from", std::move(from.node));
  } else {
    map.word("from", credential.from);
  }
  if (credential.ttl_seconds != 0) map.bare("ttl", written_duration(credential.ttl_seconds));
  if (credential.refresh.kind != Refresh::Kind::none) map.add("refresh", layout_of(credential.refresh));
  map.list("hosts", credential.hosts, quoted_written<HostPattern>);
  if (credential.inject.kind != Kind::none) map.add("inject", layout_of(credential.inject));
  if (credential.substitutes()) map.add("substitute", layout_of(credential.substitute));
  if (credential.insecure) map.bare("insecure", "true");
  return std::move(map.node);
}

Layout layout_of(const OAuthCapture& capture) {
  Map map(true);
  map.word("token_url", token_url(capture));
  add_pairs(map, "keep", capture.keep);
  return std::move(map.node);
}

}  // namespace weir::policy
