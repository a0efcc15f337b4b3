// One form for every host name and every path, used by the loader, the decision and the wire, so that no two places
// can read the same request differently. SECURITY: G7, G8.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace weir::policy {

// A host as rules compare it: a lower-case A-label name (IDNA 2008 through libidn2, RFC 5891) without a trailing
// dot, or an IP literal in its canonical form (IPv4 dotted quad; IPv6 as RFC 5952 without brackets). Rejects empty
// labels, labels over 63 and names over 253 octets, characters outside LDH and underscore, and every legacy
// spelling of IPv4 (0x7f.1, 017700000001, 127.1), which inet_aton would take for an address.
Result<std::string> canonical_host(std::string_view host);

bool is_ip_literal(std::string_view canonical_host);

// What to send and what to match for the path of an origin-form target (no query).
struct CanonicalPath {
  std::string wire;  // RFC 3986 §6.2.2: unreserved octets decoded, other escapes kept in upper case, dot segments resolved
  std::string decoded;     // wire with every escape decoded, except that an encoded slash stays "%2F"; what rules match
  bool ambiguous = false;  // two servers might read it differently: empty segment, "..;", backslash, NUL or other control,
                           // invalid or overlong UTF-8, ".." that climbs out, a malformed escape, double encoding (%25 2e …)
  bool encoded_slash = false;  // has %2F
  bool operator==(const CanonicalPath&) const = default;
};

// `path` starts with '/'. Never fails: what cannot be made canonical is `ambiguous`, with `wire` the input with
// unsafe octets escaped.
CanonicalPath canonical_path(std::string_view path);

}  // namespace weir::policy
