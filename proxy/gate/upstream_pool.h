// Connections to upstreams: resolved and checked here, verified, kept for the next request to the same place.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/secret.h"
#include "policy/policy.h"
#include "proxy/gate/read_buffer.h"
#include "proxy/gate/upstream_tls.h"
#include "proxy/io/resolver.h"
#include "proxy/io/transport.h"

namespace weir::proxy {

// Where a request goes. Host is canonical.
struct Destination {
  bool tls = true;
  bool as_it_is = false;  // octets of no protocol that weir speaks: without tls, and through upstream.proxy by CONNECT
  std::string host;
  std::uint16_t port = 443;
  const Secret* client_certificate = nullptr;  // chain and key in PEM form; of the credential that is bound to this place
  std::string key;  // made by make_key() once the rest is set
  void make_key() { key = (tls ? "s" : "p") + host + ":" + std::to_string(port); }
};

struct Upstream {
  Upstream(io::Loop& loop, UniqueFd fd) : transport(loop, std::move(fd)) {}
  io::Transport transport;
  ReadBuffer inbound;
  std::string key;
  std::string address;       // "192.0.2.1:443", for events
  bool reused = false;       // it has carried a request before
  bool through_proxy = false;  // plain HTTP through upstream.proxy: absolute-form request lines (RFC 9112 §3.2.2)
  io::Deadline idle_since = 0;
};

class UpstreamPool {
 public:
  UpstreamPool(io::Loop& loop, io::Resolver& resolver, UpstreamTls& tls, const policy::Policy& policy);

  // An idle connection to this place that is still open, if there is one.
  std::unique_ptr<Upstream> take_idle(const Destination& to);

  // A new one. Errors: "upstream_unresolved", "address_not_named" (private and no rule names it), "upstream_refused",
  // "upstream_timeout", "upstream_certificate", "upstream_tls", "upstream_proxy". SECURITY: connects to exactly the address that
  // was checked. `to` outlives the call.
  io::Task<Result<std::unique_ptr<Upstream>>> connect(const Destination& to);

  void give_back(std::unique_ptr<Upstream> upstream);
  void close_idle();

 private:
  io::Task<Result<std::vector<sockaddr_storage>>> addresses_for(const Destination& to);
  io::Task<Result<std::unique_ptr<Upstream>>> connect_tcp(const std::vector<sockaddr_storage>& addresses, const std::string& what);
  io::Task<Result<void>> open_tunnel(Upstream& upstream, const Destination& to);

  io::Loop& loop_;
  io::Resolver& resolver_;
  UpstreamTls& tls_;
  const policy::Policy& policy_;
  std::string proxy_host_;
  std::uint16_t proxy_port_ = 0;
  std::map<std::string, std::vector<std::unique_ptr<Upstream>>> idle_;
  static constexpr std::size_t kMaxIdlePerPlace = 64;
};

std::string format_address(const sockaddr_storage& address, bool with_port);

}  // namespace weir::proxy
