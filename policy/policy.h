// The compiled policy and its one decision function. Immutable after compile(); may be read from any thread.
// Every path through the proxy, and `weir policy explain`, ask decide(). SECURITY: G8.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/canonical.h"
#include "policy/document.h"

namespace weir::policy {

struct Request {
  std::string_view scheme;  // "https" or "http"
  std::string_view host;    // canonical
  std::uint16_t port = 0;
  std::string_view method;  // as sent; methods are case-sensitive (RFC 9110 §9.1)
  const CanonicalPath* path = nullptr;
};

struct Decision {
  Action action = Action::deny;
  const Rule* rule = nullptr;  // the rule that decided; null: the default did. Lives as long as the Policy.
  std::string_view code;       // for a denial: "no_rule", "rule_denies", "path_ambiguous", "encoded_slash"; else empty
};

class Policy {
 public:
  // Errors only on what the loader would also refuse; `document` is kept inside.
  static Result<Policy> compile(Document document);
  Policy(Policy&&) noexcept;
  Policy& operator=(Policy&&) noexcept;
  ~Policy();

  Decision decide(const Request& request) const;

  // Whether any request at all to this host could be let through: what DNS asks before it gives an address.
  bool could_allow_host(std::string_view canonical_host) const;

  // Indices into document().credentials of those bound to this destination, whatever the rules say of it.
  // A credential without `insecure` is never bound for scheme "http".
  void credentials_for(std::string_view scheme, std::string_view host, std::uint16_t port,
                       std::vector<std::uint32_t>& out) const;

  // CIDRs (`addresses`) of rules that match the host and port and do not deny: private addresses that are named.
  std::vector<std::string> named_addresses(std::string_view host, std::uint16_t port) const;

  const Document& document() const;

 private:
  struct Compiled;
  explicit Policy(std::unique_ptr<Compiled> compiled);
  std::unique_ptr<Compiled> compiled_;
};

// For `weir policy explain`: each rule with the first of its conditions that did not hold (empty: it matched).
struct NearMiss {
  const Rule* rule = nullptr;
  std::string missed;  // "method GET is not in [POST]"
};
std::vector<NearMiss> explain(const Policy& policy, const Request& request);

// Whether `address` (IPv4 or IPv6 literal) is one that no sandbox may reach unless a rule names it: loopback,
// private (RFC 1918, RFC 4193), link-local (and with it 169.254.169.254), shared (RFC 6598), multicast, unspecified,
// documentation, benchmarking, reserved, IPv4-mapped, NAT64, 6to4 and Teredo forms of these (IANA special-purpose
// registries).
bool is_special_purpose_address(std::string_view address);
bool address_in(std::string_view address, std::string_view cidr);

}  // namespace weir::policy
