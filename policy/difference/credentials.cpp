#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "policy/difference/settings.h"
#include "policy/document/check_credential.h"
#include "policy/formatting/written.h"

namespace weir::policy {

namespace {

using Kind = Change::Kind;
using Subject = Change::Subject;

// How it is used: put in, or in the place of a placeholder.
std::string use_of(const Credential& credential) {
  const auto& inject = credential.inject;
  if (credential.substitutes()) return "placeholder " + written(credential.substitute);
  return inject.kind == Injection::Kind::header ? fmt::format("{}: {}", inject.name, inject.format) : written(inject);
}
bool same_use(const Credential& a, const Credential& b) {
  auto like_b = a.inject;
  if (like_b.kind == Injection::Kind::header && equals_ignoring_case(like_b.name, b.inject.name)) like_b.name = b.inject.name;
  return like_b == b.inject && a.substitute == b.substitute;
}

std::string exchanged(const Refresh& refresh) {
  return refresh.kind == Refresh::Kind::none ? "used as it is" : "exchanged by " + written(refresh);
}

// Where the value may go over TLS.
std::vector<bool> bound_at(const Policy& policy, const Credential& credential, const Destinations& destinations) {
  const auto index = static_cast<std::uint32_t>(&credential - policy.document().credentials.data());
  std::vector<bool> bound;
  std::vector<std::uint32_t> found;
  for (const auto& destination : destinations.all) {
    policy.credentials_for("https", destination.host, destination.port, found);
    bound.push_back(std::ranges::find(found, index) != found.end());
  }
  return bound;
}

void compare_credential(const Policy& a, const Policy& b, const Credential* in_a, const Credential* in_b,
                        const Destinations& destinations, std::vector<Change>& out) {
  const auto& name = in_a != nullptr ? in_a->name : in_b->name;
  const auto where = [&](const std::vector<bool>& bound, const Change& like) {
    std::vector<Destination> seen;
    for (std::size_t i = 0; i < bound.size(); ++i)
      if (bound[i]) seen.push_back(destinations.all[i]);
    if (!seen.empty()) set_destinations(seen, destinations, like, out);
  };
  if (in_a == nullptr)
    return where(bound_at(b, *in_b, destinations), setting(Subject::credential, Kind::opened, name, "", in_b->from));
  if (in_b == nullptr)
    return where(bound_at(a, *in_a, destinations), setting(Subject::credential, Kind::closed, name, in_a->from, ""));
  const auto change = [&](Kind kind, std::string from, std::string to) {
    out.push_back(setting(Subject::credential, kind, name, std::move(from), std::move(to)));
  };
  if (in_a->from != in_b->from) change(Kind::changed, in_a->from, in_b->from);
  const auto lasting = [](std::uint32_t ttl) { return ttl == 0 ? std::string("as the source has it") : "for " + written_duration(ttl); };
  if (in_a->ttl_seconds != in_b->ttl_seconds) change(Kind::changed, lasting(in_a->ttl_seconds), lasting(in_b->ttl_seconds));
  if (in_a->refresh != in_b->refresh) change(Kind::changed, exchanged(in_a->refresh), exchanged(in_b->refresh));
  if (!same_use(*in_a, *in_b)) change(Kind::changed, use_of(*in_a), use_of(*in_b));
  if (in_a->insecure != in_b->insecure)
    change(in_b->insecure ? Kind::opened : Kind::closed, in_a->insecure ? "over plain HTTP too" : "over TLS only",
           in_b->insecure ? "over plain HTTP too" : "over TLS only");
  auto more = bound_at(b, *in_b, destinations), less = bound_at(a, *in_a, destinations);
  for (std::size_t i = 0; i < more.size(); ++i)
    if (more[i] && less[i]) more[i] = less[i] = false;
  where(more, setting(Subject::credential, Kind::opened, name, "", in_b->from));
  where(less, setting(Subject::credential, Kind::closed, name, in_a->from, ""));
}

// Each token that is kept: the endpoint and the member of its answer, and by which credential.
std::map<std::string, std::string> kept_tokens(const Document& document) {
  std::map<std::string, std::string> kept;
  for (const auto& capture : document.oauth)
    for (const auto& [member, credential] : capture.keep) kept.emplace(fmt::format("{} of {}", member, token_url(capture)), credential);
  return kept;
}

}  // namespace

void compare_credentials(const Policy& a, const Policy& b, const Destinations& destinations, std::vector<Change>& out) {
  std::map<std::string, std::pair<const Credential*, const Credential*>> by_name;
  for (const auto& credential : a.document().credentials) by_name[credential.name].first = &credential;
  for (const auto& credential : b.document().credentials) by_name[credential.name].second = &credential;
  for (const auto& [name, both] : by_name) compare_credential(a, b, both.first, both.second, destinations, out);
}

void compare_oauth(const Document& a, const Document& b, std::vector<Change>& out) {
  std::map<std::string, std::pair<std::string, std::string>> tokens;
  for (const auto& [token, credential] : kept_tokens(a)) tokens[token].first = credential;
  for (const auto& [token, credential] : kept_tokens(b)) tokens[token].second = credential;
  for (const auto& [token, both] : tokens) {
    const auto& [from, to] = both;
    if (from == to) continue;
    // What is no longer kept, the sandbox gets.
    const Kind kind = to.empty() ? Kind::opened : from.empty() ? Kind::closed : Kind::changed;
    out.push_back(setting(Subject::oauth, kind, token, from, to));
  }
  if (a.leaks != b.leaks)
    out.push_back(setting(Subject::leaks, b.leaks < a.leaks ? Kind::opened : Kind::closed, "", written(a.leaks), written(b.leaks)));
}

}  // namespace weir::policy
