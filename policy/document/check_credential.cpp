// What goes together in a credential.
#include "policy/document/check_credential.h"

#include <fmt/format.h>

#include "base/text.h"
#include "policy/document/characters.h"

namespace weir::policy {

namespace {

bool is_token_refresh(Refresh::Kind kind) {
  return kind == Refresh::Kind::oauth2 || kind == Refresh::Kind::github_app || kind == Refresh::Kind::google;
}

}  // namespace

std::optional<Problem> check_name(std::string_view what, std::string_view name) {
  if (is_word(name, "-_.", 64) && is_alphanumeric(name.front())) return std::nullopt;
  return Problem{fmt::format("`{}` is not a name for a {}", printable(name, 80), what),
                 "up to 64 letters, digits, and - _ . may be used; the first is a letter or a digit"};
}

std::vector<Contradiction> find_contradictions(const Credential& credential, const std::function<bool(std::string_view)>& given) {
  std::vector<Contradiction> found;
  const auto kind = credential.inject.kind;
  const bool certificate = kind == Injection::Kind::client_certificate;
  if (given("inject") && given("substitute"))
    found.push_back({"substitute", {"a credential has either `inject` or `substitute`", "make it two credentials"}});
  if (!given("inject") && !given("substitute"))
    found.push_back({"",
                     {"a credential needs the key `inject` or `substitute`",
                      "inject: {header: Authorization, format: \"Bearer {secret}\"}, or substitute: {env: TOKEN, shape: \"{random:40}\"}"}});
  if (certificate && credential.insecure)
    found.push_back({"insecure", {"`insecure: true` means nothing beside `client_certificate`: it is part of TLS", "remove it"}});
  if (credential.refresh.kind == Refresh::Kind::aws_role && given("inject") && kind != Injection::Kind::aws_sigv4 &&
      kind != Injection::Kind::none)
    found.push_back({"refresh", {"`aws_role` gives keys, and those go with `inject: {aws_sigv4: …}` only", "write inject: {aws_sigv4: {}}"}});
  if (credential.refresh.kind == Refresh::Kind::aws_role && !given("inject") && given("substitute"))
    found.push_back({"refresh", {"`aws_role` gives keys, and those cannot stand in a placeholder's place", "write inject: {aws_sigv4: {}}"}});
  if (is_token_refresh(credential.refresh.kind) && (certificate || kind == Injection::Kind::aws_sigv4))
    found.push_back({"refresh",
                     {fmt::format("`refresh` gives a token, and `inject` needs {}", certificate ? "a certificate and its key" : "AWS keys"),
                      certificate ? "remove `refresh`" : "`refresh: {aws_role: …}` gives such keys"}});
  return found;
}

std::optional<Problem> check_credential(const Credential& credential) {
  if (auto problem = check_name("credential", credential.name)) return problem;
  if (auto problem = check_source(credential.from)) return problem;
  if (auto problem = check_ttl(credential)) return problem;
  if (auto problem = check_hosts(credential.hosts)) return problem;
  if (auto problem = check_injection(credential.inject)) return problem;
  if (auto problem = check_substitution(credential.substitute)) return problem;
  if (auto problem = check_refresh(credential.refresh)) return problem;
  const auto given = [&](std::string_view key) {
    return key == "inject" ? credential.inject.kind != Injection::Kind::none : credential.substitutes();
  };
  for (auto& found : find_contradictions(credential, given)) return std::move(found.problem);
  return std::nullopt;
}

}  // namespace weir::policy
