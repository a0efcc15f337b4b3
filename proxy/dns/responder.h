// The sandbox's only DNS server, as a function of bytes: question in, answer out, never a query upstream.
// An allowed name gets a synthetic address that stands for it in this sandbox; any other gets REFUSED with an
// Extended DNS Error (RFC 8914, code 18 Prohibited). SECURITY: G1, DNS carries nothing out.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/dns/synthetic_addresses.h"

namespace weir::proxy {

struct DnsOutcome {
  std::string reply;    // empty: drop the query (not a well-formed query at all)
  std::string name;     // for the event; as asked, presentation form, may be hostile
  std::string qtype;    // "A", "AAAA", "HTTPS", …
  std::string verdict;  // "answered", "refused", "empty" (allowed name, a type that has no synthetic answer), "malformed"
};

class DnsResponder {
 public:
  // `allowed(canonical_host)` is Policy::could_allow_host.
  DnsResponder(SyntheticAddresses& addresses, std::function<bool(std::string_view)> allowed);
  // One query (RFC 1035 §4, EDNS RFC 6891) of either transport; `udp` limits the size (TC bit). A and AAAA are answered
  // with TTL 60; HTTPS/SVCB, MX, TXT … of allowed names give NODATA; PTR of a synthetic address gives its name.
  DnsOutcome answer(std::string_view query, bool udp);

 private:
  SyntheticAddresses& addresses_;
  std::function<bool(std::string_view)> allowed_;
};

}  // namespace weir::proxy
