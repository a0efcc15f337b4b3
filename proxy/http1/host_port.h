// host [":" port], as it stands in Host, in CONNECT's target and in an absolute one (RFC 9110 §7.2, RFC 3986 §3.2).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace weir::proxy {

struct HostPort {
  std::string_view host;  // a name, an IPv4 address, or an IPv6 address without its brackets
  std::optional<std::uint16_t> port;
  bool operator==(const HostPort&) const = default;
};

// Views into `text`. Names are letters, digits, '-', '.', '_' only: no user information, escapes, lists or zone indices.
// Whether a name is a good one is for policy::canonical_host. Error "bad_host".
Result<HostPort> split_host_port(std::string_view text);

}  // namespace weir::proxy
