// What all connections of one sandbox share, wired once in proxy_process.cpp. Every member outlives every connection.
#pragma once

#include <cstdint>
#include <list>
#include <string>

#include "policy/policy.h"
#include "proxy/dns/synthetic_addresses.h"
#include "proxy/gate/downstream_tls.h"
#include "proxy/gate/upstream_pool.h"
#include "proxy/io/loop.h"
#include "proxy/keeper_link.h"

namespace weir::proxy {

class Connection;

// Requests per minute, as a bucket that refills steadily and starts full: an agent that begins with a burst is not refused
// for it.
class RateLimit {
 public:
  explicit RateLimit(std::uint32_t per_minute) : per_minute_(per_minute), tokens_(per_minute) {}
  bool take(io::Deadline now_ms);

 private:
  double per_minute_;
  double tokens_;
  io::Deadline last_ms_ = 0;
};

struct Gate {
  Gate(io::Loop& for_loop, KeeperLink& for_keeper, const policy::Policy& for_policy, SyntheticAddresses& for_addresses,
       DownstreamTls& for_downstream, UpstreamPool& for_pool);
  io::Loop& loop;
  KeeperLink& keeper;
  const policy::Policy& policy;
  SyntheticAddresses& addresses;
  DownstreamTls& downstream_tls;
  UpstreamPool& pool;
  RateLimit rate;
  std::uint32_t open_connections = 0;
  std::list<Connection*> idle;  // between requests, the longest idle first: closed when a new one needs the place
  bool finishing = false;
  io::Event drained;  // fired when the last connection ends while finishing

  // Whether a rule names this IP literal itself: `*` is every name, not every address.
  bool names_address(std::string_view literal) const;
};

// Accepts on the room's listener for ever. `listener` by value; `gate` outlives it.
io::Task<void> accept_connections(Gate& gate, UniqueFd listener);

}  // namespace weir::proxy
