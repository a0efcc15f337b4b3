#include "proxy/gate/upstream_pool.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <charconv>
#include <cerrno>
#include <cstring>

#include "proxy/gate/deadlines.h"
#include "proxy/http1/decoder.h"

namespace weir::proxy {
namespace {

void set_port(sockaddr_storage& address, std::uint16_t port) {
  if (address.ss_family == AF_INET6) {
    reinterpret_cast<sockaddr_in6&>(address).sin6_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in&>(address).sin_port = htons(port);
  }
}

std::optional<sockaddr_storage> parse_address(const std::string& text) {
  sockaddr_storage address{};
  if (inet_pton(AF_INET, text.c_str(), &reinterpret_cast<sockaddr_in&>(address).sin_addr) == 1) {
    address.ss_family = AF_INET;
    return address;
  }
  if (inet_pton(AF_INET6, text.c_str(), &reinterpret_cast<sockaddr_in6&>(address).sin6_addr) == 1) {
    address.ss_family = AF_INET6;
    return address;
  }
  return std::nullopt;
}

socklen_t size_of(const sockaddr_storage& address) {
  return address.ss_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
}

}  // namespace

std::string format_address(const sockaddr_storage& address, bool with_port) {
  char text[INET6_ADDRSTRLEN] = "?";
  if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    if (!with_port) return text;
    return "[" + std::string(text) + "]:" + std::to_string(ntohs(v6.sin6_port));
  }
  const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
  inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
  if (!with_port) return text;
  return std::string(text) + ":" + std::to_string(ntohs(v4.sin_port));
}

UpstreamPool::UpstreamPool(io::Loop& loop, io::Resolver& resolver, UpstreamTls& tls, const policy::Policy& policy)
    : loop_(loop), resolver_(resolver), tls_(tls), policy_(policy) {
  std::string_view proxy = policy.document().upstream.proxy;
  if (proxy.empty()) return;
  if (proxy.starts_with("http://")) proxy.remove_prefix(7);
  while (!proxy.empty() && proxy.back() == '/') proxy.remove_suffix(1);
  const auto colon = proxy.rfind(':');
  proxy_host_ = proxy.substr(0, colon);
  if (proxy_host_.size() > 2 && proxy_host_.front() == '[') proxy_host_ = proxy_host_.substr(1, proxy_host_.size() - 2);
  const std::string_view port = colon == std::string_view::npos ? "3128" : proxy.substr(colon + 1);
  std::from_chars(port.data(), port.data() + port.size(), proxy_port_);
}

std::unique_ptr<Upstream> UpstreamPool::take_idle(const Destination& to) {
  const auto found = idle_.find(to.key);
  if (found == idle_.end()) return nullptr;
  auto& idle = found->second;
  while (!idle.empty()) {
    auto upstream = std::move(idle.back());
    idle.pop_back();
    if (loop_.now() - upstream->idle_since > kPoolIdleMs) continue;
    if (upstream->transport.descriptor().read_event()) {
      // Something came while it was idle: session tickets are fine, an end or bytes that nobody asked for are not.
      char byte = 0;
      if (upstream->transport.try_read({&byte, 1}).status != io::IoStatus::again) continue;
    }
    return upstream;
  }
  return nullptr;
}

void UpstreamPool::give_back(std::unique_ptr<Upstream> upstream) {
  if (upstream->transport.closed() || !upstream->inbound.empty()) return;
  auto& idle = idle_[upstream->key];
  if (idle.size() >= kMaxIdlePerPlace) return;
  upstream->inbound.release();
  upstream->reused = true;
  upstream->idle_since = loop_.now();
  idle.push_back(std::move(upstream));
}

void UpstreamPool::close_idle() {
  for (auto& [key, idle] : idle_)
    std::erase_if(idle, [&](const auto& upstream) { return loop_.now() - upstream->idle_since > kPoolIdleMs; });
}

io::Task<Result<std::vector<sockaddr_storage>>> UpstreamPool::addresses_for(const Destination& to) {
  const auto& document = policy_.document();
  for (const auto& fixed : document.upstream.resolve) {
    if (fixed.host != to.host) continue;
    auto address = parse_address(fixed.address);
    if (!address) co_return fail("upstream_unresolved", "upstream.resolve has no valid address for " + to.host);
    set_port(*address, fixed.port.value_or(to.port));
    co_return std::vector{*address};
  }
  std::vector<sockaddr_storage> addresses;
  const bool literal = policy::is_ip_literal(to.host);
  if (literal) {
    addresses.push_back(*parse_address(to.host));
  } else {
    auto resolved = co_await resolver_.resolve(to.host, loop_.in(kResolveMs));
    if (!resolved) co_return std::unexpected(resolved.error());
    addresses = std::move(*resolved);
  }
  const auto named = policy_.named_addresses(to.host, to.port);
  std::string refused;
  std::erase_if(addresses, [&](sockaddr_storage& address) {
    set_port(address, to.port);
    const std::string text = format_address(address, false);
    if (!policy::is_special_purpose_address(text)) return false;
    if (std::any_of(named.begin(), named.end(), [&](const auto& range) { return policy::address_in(text, range); })) return false;
    // An IP literal only gets here when a rule names exactly it (admission.cpp).
    if (literal) return false;
    refused = text;
    return true;
  });
  if (addresses.empty())
    co_return fail("address_not_named", to.host + " resolves to " + refused + ", which is not a public address, and no rule names it");
  co_return addresses;
}

io::Task<Result<std::unique_ptr<Upstream>>> UpstreamPool::connect_tcp(const std::vector<sockaddr_storage>& addresses, const std::string& what) {
  Error last{"upstream_refused", what + " has no address to connect to"};
  for (const auto& address : addresses) {
    const std::string shown = format_address(address, true);
    UniqueFd fd(socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
    if (!fd) {
      last = fail_errno("upstream_refused", "cannot make a socket for " + shown, errno).error();
      continue;
    }
    const int on = 1;
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const int started = ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), size_of(address));
    if (started != 0 && errno != EINPROGRESS) {
      last = fail_errno("upstream_refused", "cannot connect to " + what + " at " + shown, errno).error();
      continue;
    }
    auto upstream = std::make_unique<Upstream>(loop_, std::move(fd));
    upstream->address = shown;
    if (started != 0) {
      const io::Wake wake = co_await upstream->transport.descriptor().writable(loop_.in(kConnectMs));
      int error = 0;
      socklen_t size = sizeof error;
      getsockopt(upstream->transport.descriptor().fd(), SOL_SOCKET, SO_ERROR, &error, &size);
      if (wake == io::Wake::timeout) {
        last = {"upstream_timeout", "no answer from " + what + " at " + shown + " within " + std::to_string(kConnectMs / 1000) + " s"};
        continue;
      }
      if (error != 0) {
        last = fail_errno("upstream_refused", "cannot connect to " + what + " at " + shown, error).error();
        continue;
      }
    }
    co_return upstream;
  }
  co_return std::unexpected(last);
}

// CONNECT through upstream.proxy (RFC 9110 §9.3.6). Nothing of the sandbox's request is in it but host and port.
io::Task<Result<void>> UpstreamPool::open_tunnel(Upstream& upstream, const Destination& to) {
  const std::string authority = (to.host.find(':') != std::string::npos ? "[" + to.host + "]" : to.host) + ":" + std::to_string(to.port);
  const std::string request = "CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority + "\r\n\r\n";
  const auto written = co_await upstream.transport.write_all(request, loop_.in(kConnectMs));
  if (written != io::Outcome::ok)
    co_return fail("upstream_proxy", "the proxy " + proxy_host_ + " closed the connection");
  std::string head;
  std::size_t scanned = 0;
  for (;;) {
    const auto size = find_head(head, {}, scanned);
    if (!size) co_return fail("upstream_proxy", "the proxy " + proxy_host_ + " answered with something that is not HTTP");
    if (*size != 0) break;
    char byte = 0;  // one at a time: what follows the head belongs to the tunnel
    std::size_t got = 0;
    const auto reading = co_await upstream.transport.read_some({&byte, 1}, loop_.in(kConnectMs), got);
    if (reading != io::Outcome::ok)
      co_return fail("upstream_proxy", "the proxy " + proxy_host_ + " did not answer");
    head.push_back(byte);
  }
  HeadParser parser;
  ResponseHead response;
  if (!parser.response(head, "CONNECT", {}, response)) co_return fail("upstream_proxy", "the proxy " + proxy_host_ + " answered badly");
  if (response.status / 100 != 2)
    co_return fail("upstream_proxy", "the proxy " + proxy_host_ + " refused " + authority + " with status " + std::to_string(response.status));
  co_return Result<void>{};
}

io::Task<Result<std::unique_ptr<Upstream>>> UpstreamPool::connect(const Destination& to) {
  std::vector<sockaddr_storage> addresses;
  const bool by_proxy = !proxy_host_.empty();
  if (by_proxy) {
    if (auto literal = parse_address(proxy_host_)) {
      addresses.push_back(*literal);
    } else {
      auto resolved = co_await resolver_.resolve(proxy_host_, loop_.in(kResolveMs));
      if (!resolved) co_return std::unexpected(resolved.error());
      addresses = std::move(*resolved);
    }
    for (auto& address : addresses) set_port(address, proxy_port_);
  } else {
    auto checked = co_await addresses_for(to);
    if (!checked) co_return std::unexpected(checked.error());
    addresses = std::move(*checked);
  }
  const std::string what = by_proxy ? "the proxy " + proxy_host_ : to.host;
  auto connected = co_await connect_tcp(addresses, what);
  if (!connected) co_return std::unexpected(connected.error());
  auto upstream = std::move(*connected);
  upstream->key = to.key;
  if (by_proxy && (to.tls || to.as_it_is)) {
    auto tunnel = co_await open_tunnel(*upstream, to);
    if (!tunnel) co_return std::unexpected(tunnel.error());
  } else if (by_proxy) {
    upstream->through_proxy = true;
  }
  if (to.tls) {
    auto ssl = tls_.connect_to(to.host, to.port);
    if (to.client_certificate != nullptr)
      if (auto used = use_client_certificate(ssl.get(), to.client_certificate->reveal()); !used) co_return std::unexpected(used.error());
    upstream->transport.start_tls(std::move(ssl));
    const io::Outcome done = co_await upstream->transport.handshake(loop_.in(kHandshakeMs));
    if (done != io::Outcome::ok) {
      const long verified = SSL_get_verify_result(upstream->transport.ssl());
      if (verified != X509_V_OK)
        co_return fail("upstream_certificate", "the certificate of " + to.host + " at " + upstream->address + " is not valid: " +
                                                   X509_verify_cert_error_string(verified));
      if (done == io::Outcome::timeout) co_return fail("upstream_timeout", "the TLS handshake with " + to.host + " took too long");
      co_return fail("upstream_tls", "the TLS handshake with " + to.host + " at " + upstream->address + " failed: " +
                                         upstream->transport.ssl_error());
    }
    if (to.client_certificate != nullptr) SSL_certs_clear(upstream->transport.ssl());  // SECURITY: G2, the key is not kept
  }
  co_return upstream;
}

}  // namespace weir::proxy
