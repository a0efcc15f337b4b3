// What all connections of one sandbox share, wired once in proxy_process.cpp. Every member outlives every connection.
#pragma once

#include <cstdint>
#include <list>
#include <string>

#include "proxy/dns/synthetic_addresses.h"
#include "proxy/gate/downstream_tls.h"
#include "proxy/gate/policy_in_use.h"
#include "proxy/io/loop.h"
#include "proxy/io/task.h"
#include "proxy/keeper_link.h"

namespace weir::proxy {

class Connection;

// What stays open for long: a tunnel, a WebSocket, a stream of events. It is asked again when the policy changes and, where the
// policy has times, as they pass. Registers itself in Gate::streams for its life.
class OpenStream {
 public:
  virtual ~OpenStream() = default;
  virtual bool may_go_on(const PolicyInUse& policy) = 0;  // under this policy, now
  virtual void cut(std::string_view why) = 0;              // ends it soon; it tells how it ended itself
};

struct Gate {
  Gate(io::Loop& for_loop, KeeperLink& for_keeper, PolicyHandle first_policy, SyntheticAddresses& for_addresses, DownstreamTls& for_downstream);
  io::Loop& loop;
  KeeperLink& keeper;
  PolicyHandle in_force;  // the policy that decides from here on; whoever is admitted by it keeps a handle
  SyntheticAddresses& addresses;
  DownstreamTls& downstream_tls;
  std::uint32_t open_connections = 0;
  std::list<Connection*> idle;  // between requests, the longest idle first: closed when a new one needs the place
  std::list<OpenStream*> streams;
  bool finishing = false;
  io::Event drained;  // fired when the last connection ends while finishing

  // Takes the policy into force and cuts what it would refuse.
  void replace_policy(PolicyHandle next);
  void ask_streams_again(std::string_view why);
  void cut_streams(std::string_view why);

  // What the sandbox has sent, as it may stand in the record. SECURITY: G2, a secret that it knows from elsewhere must not.
  std::string recordable(std::string_view text) const;
};

// While it lives, the stream is in the gate's list.
class StreamPlace {
 public:
  StreamPlace(Gate& gate, OpenStream& stream) : gate_(gate), place_(gate.streams.insert(gate.streams.end(), &stream)) {}
  StreamPlace(const StreamPlace&) = delete;
  StreamPlace& operator=(const StreamPlace&) = delete;
  ~StreamPlace() { gate_.streams.erase(place_); }

 private:
  Gate& gate_;
  std::list<OpenStream*>::iterator place_;
};

// Accepts on the room's listener for ever. `listener` by value; `gate` outlives it.
io::Task<void> accept_connections(Gate& gate, UniqueFd listener);

}  // namespace weir::proxy
