// Random credentials, with every way to use them, and token endpoints.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dice.h"
#include "policy/document/check_credential.h"

namespace weir::policy {

namespace random_documents {

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

}  // namespace weir::policy
