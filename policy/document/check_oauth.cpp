// Token endpoints whose answers are caught: `oauth`.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "policy/canonical.h"
#include "policy/document/characters.h"
#include "policy/document/check_credential.h"

namespace weir::policy {

namespace {

// Nothing if the credential can take tokens in.
std::optional<Problem> check_kept(const Credential& credential) {
  if (!credential.substitutes())
    return Problem{fmt::format("credential `{}` has no `substitute`, so there is no placeholder to give to the sandbox", credential.name),
                   "for instance: substitute: {shape: \"tok-{random:40}\"}"};
  if (!credential.from.starts_with("store:"))
    return Problem{fmt::format("credential `{}` is not from weir's own vault, and the token could not be kept", credential.name),
                   "write from: store:ENTRY; the entry need not be there yet"};
  if (credential.from.find('@') != std::string::npos)
    return Problem{fmt::format("credential `{}` is one version of its entry, and a new token would be another", credential.name),
                   fmt::format("write from: {}", printable(credential.from.substr(0, credential.from.find('@')), 150))};
  return std::nullopt;
}

}  // namespace

std::optional<Problem> check_member(std::string_view member) {
  const auto parts = split(member, '.');
  if (member.size() <= 128 && std::ranges::all_of(parts, [](std::string_view part) { return is_word(part, "_-", 128); })) return std::nullopt;
  return Problem{fmt::format("`{}` is not the name of a member of the answer", printable(member, 80)),
                 "for instance: keep: {access_token: tool-access}; for one that is deeper: authed_user.access_token"};
}

std::optional<Problem> check_capture(const OAuthCapture& capture) {
  const Problem problem{"its `token_url` is not in canonical form", ""};
  const auto host = canonical_host(capture.host);
  if (!host || *host != capture.host || capture.port == 0) return problem;
  if (!capture.path.starts_with('/')) return problem;
  const auto path = canonical_path(capture.path);
  if (path.ambiguous || path.wire != capture.path || path.decoded != capture.path ||
      capture.path.find_first_of("*?#%") != std::string::npos)
    return problem;
  if (capture.keep.empty()) return Problem{"`keep` names no member of the answer", ""};
  std::set<std::string_view> members;
  for (const auto& [member, credential] : capture.keep) {
    if (auto wrong = check_member(member)) return wrong;
    if (auto wrong = check_name("credential", credential)) return wrong;
    if (!members.insert(member).second) return Problem{fmt::format("`keep` names `{}` twice", member), ""};
  }
  return std::nullopt;
}

std::string token_url(const OAuthCapture& capture) {
  const bool v6 = capture.host.find(':') != std::string::npos;
  return fmt::format("https://{}{}{}{}{}", v6 ? "[" : "", capture.host, v6 ? "]" : "",
                     capture.port == 443 ? "" : fmt::format(":{}", capture.port), capture.path);
}

std::vector<OAuthProblem> find_oauth_problems(const Document& document, std::size_t most) {
  std::vector<OAuthProblem> found;
  if (document.oauth.empty()) return found;
  std::map<std::string_view, const Credential*> credentials;
  std::vector<std::string_view> names;
  for (const auto& credential : document.credentials) {
    credentials.emplace(credential.name, &credential);
    names.push_back(credential.name);
  }
  std::set<std::string> urls;
  for (std::size_t i = 0; i < document.oauth.size() && found.size() < most; ++i) {
    const auto& capture = document.oauth[i];
    std::set<std::string_view> kept;  // of this answer; a tool may refresh the same token at one of several places
    if (!urls.insert(token_url(capture)).second)
      found.push_back({i, {}, {fmt::format("`{}` has an entry already", printable(token_url(capture), 200)), "put all members under one `keep`"}});
    for (std::size_t k = 0; k < capture.keep.size() && found.size() < most; ++k) {
      const auto& name = capture.keep[k].second;
      const auto credential = credentials.find(name);
      if (credential == credentials.end()) {
        const auto near = nearest(name, names);
        found.push_back({i, k,
                         {fmt::format("there is no credential `{}`", printable(name, 80)),
                          near ? fmt::format("did you mean `{}`?", *near)
                               : "add one with `from: store:ENTRY` and `substitute`; the entry need not be there yet"}});
      } else if (auto problem = check_kept(*credential->second)) {
        found.push_back({i, k, std::move(*problem)});
      } else if (!kept.insert(name).second) {
        found.push_back({i, k, {fmt::format("credential `{}` keeps another token already", name), "one credential keeps one token"}});
      }
    }
  }
  return found;
}

}  // namespace weir::policy
