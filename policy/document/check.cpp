#include "policy/document/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "policy/canonical.h"
#include "policy/document/check_credential.h"
#include "policy/matching/ip_address.h"

namespace weir::policy {

Result<void> check_document(const Document& document) {
  const auto refuse = [](std::string_view what, std::string_view name, const Problem& problem) {
    return fail("policy_invalid", fmt::format("{} `{}`: {}", what, printable(name, 100), problem.message));
  };
  if (document.default_action == Action::allow)
    return fail("policy_invalid", "`default: allow` is not possible: use deny, ask or log");
  for (const auto& rule : document.rules)
    if (auto problem = check_rule(rule)) return refuse("rule", rule.name, *problem);
  std::set<std::string_view> names;
  for (const auto& credential : document.credentials) {
    if (auto problem = check_credential(credential)) return refuse("credential", credential.name, *problem);
    if (!names.insert(credential.name).second)
      return refuse("credential", credential.name, {"there are two of that name", ""});
  }
  for (const auto& capture : document.oauth)
    if (auto problem = check_capture(capture)) return refuse("oauth", capture.host, *problem);
  for (const auto& conflict : find_credential_conflicts(document, 1))
    return refuse("credential", document.credentials[conflict.second].name,
                  {fmt::format("it has the same {} as `{}`", conflict.what, document.credentials[conflict.first].name), ""});
  for (const auto& found : find_oauth_problems(document, 1))
    return refuse("oauth", token_url(document.oauth[found.entry]), found.problem);
  for (const auto& conflict : find_tunnel_conflicts(document, 1))
    return refuse(
        "rule", document.rules[conflict.tunnel].name,
        {fmt::format("its connections are not looked into, as {} needs it", describe(conflict, document)), ""});
  for (const auto& fixed : document.upstream.resolve) {
    const auto host = canonical_host(fixed.host);
    const auto address = parse_ip(fixed.address);
    if (!host || *host != fixed.host || !address || to_text(*address) != fixed.address || fixed.port == std::uint16_t{0})
      return refuse("resolve", fixed.host, {"it is not in canonical form", ""});
  }
  const auto& limits = document.limits;
  if (limits.inspected_body > kMaxInspected || limits.approval_seconds == 0 || limits.approval_seconds > kMaxApprovalSeconds)
    return fail("policy_invalid", "`limits` are not possible");
  return {};
}

}  // namespace weir::policy
