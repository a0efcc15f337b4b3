// The room's DNS sockets, served by DnsResponder; each question becomes a `dns.query` event.
#pragma once

#include "proxy/dns/responder.h"
#include "proxy/io/task.h"
#include "proxy/keeper_link.h"

namespace weir::proxy {

// Both run for ever; loop, keeper and responder outlive them.
io::Task<void> serve_dns_datagrams(io::Loop& loop, KeeperLink& keeper, DnsResponder& responder, UniqueFd socket);
io::Task<void> serve_dns_streams(io::Loop& loop, KeeperLink& keeper, DnsResponder& responder, UniqueFd listener);

}  // namespace weir::proxy
