// The room's DNS sockets, served by DnsResponder; each question becomes a `dns.query` event.
#pragma once

#include <functional>
#include <string_view>

#include "proxy/dns/responder.h"
#include "proxy/io/task.h"
#include "proxy/keeper_link.h"

namespace weir::proxy {

// Whether a name holds a credential (leaks/needles.h): the record does not repeat it. SECURITY: G2.
using HoldsCredential = std::function<bool(std::string_view name)>;

// Both run for ever; their arguments but the sockets outlive them.
io::Task<void> serve_dns_datagrams(io::Loop& loop, KeeperLink& keeper, DnsResponder& responder, const HoldsCredential& holds_credential, UniqueFd socket);
io::Task<void> serve_dns_streams(io::Loop& loop, KeeperLink& keeper, DnsResponder& responder, const HoldsCredential& holds_credential, UniqueFd listener);

}  // namespace weir::proxy
