// What in a document cannot stand beside each other.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "policy/document/check_credential.h"
#include "policy/matching/coverage.h"

namespace weir::policy {

namespace {

// A place in a request. `key` is the same for what is the same place.
struct Slot {
  std::string key;
  std::string shown;
};

Slot header(std::string_view name) {  // compared without case, RFC 9110 §5.1
  return {"header " + to_lower(name), fmt::format("header `{}`", name)};
}
Slot parameter(std::string_view name) { return {fmt::format("query {}", name), fmt::format("query parameter `{}`", name)}; }

struct Slots {
  std::vector<Slot> taken;   // what the injection writes
  std::vector<Slot> beside;  // what nobody else may write beside it
};

Slots signature() {
  Slots slots;
  for (const auto name : {"Authorization", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-Sha256"}) slots.taken.push_back(header(name));
  for (const auto name : {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature",
                          "X-Amz-Security-Token"})  // of a presigned URL
    slots.taken.push_back(parameter(name));
  return slots;
}

Slots slots_of(const Injection& inject) {
  const Slot any_cookie{"any cookie", "header `Cookie`"};
  switch (inject.kind) {
    case Injection::Kind::none:
      return {};
    case Injection::Kind::header:
      if (equals_ignoring_case(inject.name, "cookie")) return {{header(inject.name)}, {any_cookie}};
      return {{header(inject.name)}, {}};
    case Injection::Kind::basic:
      return {{header("Authorization")}, {}};
    case Injection::Kind::query:
      return {{parameter(inject.name)}, {}};
    case Injection::Kind::cookie:
      return {{{"cookie " + inject.name, fmt::format("cookie `{}`", inject.name)}, any_cookie}, {header("Cookie")}};
    case Injection::Kind::client_certificate:
      return {{{"client certificate", "client certificate"}}, {}};
    case Injection::Kind::aws_sigv4:
      return signature();
  }
  return {};
}

class ConflictFinder {
 public:
  ConflictFinder(const Document& document, std::size_t most) : document_(document), most_(most) {}

  std::vector<CredentialConflict> find() {
    for (std::size_t i = 0; i < document_.credentials.size() && found_.size() < most_; ++i) {
      in_requests(i);
      in_environment(i);
    }
    return std::move(found_);
  }

 private:
  void in_requests(std::size_t index) {
    const Credential& credential = document_.credentials[index];
    const auto slots = slots_of(credential.inject);
    const Destinations mine{credential.hosts, {}};
    const bool is_cookie = credential.inject.kind == Injection::Kind::cookie;
    const auto conflicts = [&](const Slot& slot) {
      const auto others = by_slot_.find(slot.key);
      if (others == by_slot_.end()) return false;
      const auto other = others->second.overlapping(mine);
      if (other) found_.push_back({*other, index, slot.shown, true});
      return other.has_value();
    };
    // Two cookies go together: that there is one is of interest to the header alone.
    const auto unlike_cookies = [&](const Slot& slot) { return !(is_cookie && slot.key == "any cookie") && conflicts(slot); };
    if (!std::ranges::any_of(slots.taken, unlike_cookies)) (void)std::ranges::any_of(slots.beside, conflicts);
    for (const auto& slot : slots.taken) by_slot_[slot.key].add(mine, index);
  }

  void in_environment(std::size_t index) {
    const auto& env = document_.credentials[index].substitute.env;
    if (env.empty()) return;
    const auto [other, is_new] = by_variable_.emplace(env, index);
    if (!is_new) found_.push_back({other->second, index, fmt::format("variable `{}`", env), false});
  }

  const Document& document_;
  std::size_t most_;
  std::map<std::string, DestinationSet> by_slot_;
  std::map<std::string_view, std::size_t> by_variable_;
  std::vector<CredentialConflict> found_;
};

}  // namespace

std::vector<CredentialConflict> find_credential_conflicts(const Document& document, std::size_t most) {
  return ConflictFinder(document, most).find();
}

std::vector<TunnelConflict> find_tunnel_conflicts(const Document& document, std::size_t most) {
  using With = TunnelConflict::With;
  DestinationSet tunnels;
  for (std::size_t i = 0; i < document.rules.size(); ++i)
    if (const auto& rule = document.rules[i]; rule.is_tunnel() && rule.action != Action::deny)
      tunnels.add(destinations_of(rule), i);
  std::vector<TunnelConflict> found;
  if (tunnels.empty()) return found;
  const auto look = [&](With with, std::size_t index, const Destinations& destinations) {
    if (found.size() >= most) return;
    if (const auto tunnel = tunnels.overlapping(destinations)) found.push_back({*tunnel, with, index});
  };
  for (std::size_t i = 0; i < document.credentials.size(); ++i) look(With::credential, i, {document.credentials[i].hosts, {}});
  for (std::size_t i = 0; i < document.oauth.size(); ++i) {
    const std::vector<HostPattern> host{{HostPattern::Kind::exact, document.oauth[i].host, document.oauth[i].port}};
    look(With::oauth, i, {host, {}});
  }
  for (std::size_t i = 0; i < document.rules.size(); ++i)
    if (document.rules[i].looks_inside()) look(With::rule, i, destinations_of(document.rules[i]));
  return found;
}

std::string describe(const TunnelConflict& conflict, const Document& document) {
  switch (conflict.with) {
    case TunnelConflict::With::credential:
      return fmt::format("credential `{}`", document.credentials[conflict.other].name);
    case TunnelConflict::With::oauth:
      return fmt::format("token endpoint `{}`", token_url(document.oauth[conflict.other]));
    case TunnelConflict::With::rule:
      break;
  }
  return fmt::format("rule `{}`", document.rules[conflict.other].name);
}

const Place& place_of(const TunnelConflict& conflict, const Document& document) {
  switch (conflict.with) {
    case TunnelConflict::With::credential:
      return document.credentials[conflict.other].place;
    case TunnelConflict::With::oauth:
      return document.oauth[conflict.other].place;
    case TunnelConflict::With::rule:
      break;
  }
  return document.rules[conflict.other].place;
}

}  // namespace weir::policy
