// One policy with everything that hangs on it: how upstreams are verified, connections that were checked under it, counts of
// its rates. A reload replaces it as a whole; requests that it admitted keep it until they end. SECURITY: G4, all or nothing.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "policy/policy.h"
#include "proxy/gate/credentials_in_use.h"
#include "proxy/gate/rate_limit.h"
#include "proxy/gate/upstream_pool.h"
#include "proxy/gate/upstream_tls.h"
#include "proxy/keeper_link.h"

namespace weir::proxy {

class PolicyInUse {
 public:
  // Compiles. `loop`, `resolver` and `keeper` outlive it. `before`: the policy it replaces, or null; TLS settings that are the
  // same are shared with it. `roots` as in UpstreamTls.
  static Result<std::shared_ptr<PolicyInUse>> make(std::uint32_t generation, std::string_view document, const std::string& upstream_ca_pem,
                                                   std::vector<std::string> placeholders, std::string_view roots, io::Loop& loop, io::Resolver& resolver, KeeperLink& keeper,
                                                   const PolicyInUse* before);
  PolicyInUse(std::uint32_t for_generation, policy::Policy compiled, std::shared_ptr<UpstreamTls> tls, std::string ca_pem,
              std::vector<std::string> placeholders, io::Loop& loop, io::Resolver& resolver, KeeperLink& keeper);
  PolicyInUse(const PolicyInUse&) = delete;
  PolicyInUse& operator=(const PolicyInUse&) = delete;
  ~PolicyInUse();  // tells the keeper that nothing is under it any more

  const policy::Document& document() const { return policy.document(); }
  const policy::Limits& limits() const { return policy.document().limits; }

  // Counts a request against limits.requests_per_minute, and against the rates of the rules that let it through. False: there is no
  // room, and nothing was counted; `rule` is then the rule whose rate is used up, null for the limit of all.
  bool count_request(const policy::Decision& decision, io::Deadline now, const policy::Rule*& rule);

  // Whether a rule names this IP literal itself: `*` is every name, not every address.
  bool names_address(const std::string& literal, std::uint16_t port) const;

  const std::uint32_t generation;
  const policy::Policy policy;
  CredentialsInUse credentials;
  UpstreamPool pool;

 private:
  std::shared_ptr<UpstreamTls> tls_;
  std::string upstream_ca_pem_;
  KeeperLink& keeper_;
  RateLimit all_requests_;
  std::map<std::uint32_t, RateLimit> rule_rates_;
};

using PolicyHandle = std::shared_ptr<PolicyInUse>;

}  // namespace weir::proxy
