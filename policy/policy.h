// The compiled policy and its one decision function. Immutable after compile(); may be read from any thread.
// Every path through the proxy, and `weir policy explain`, `test`, `diff` and `learn`, ask decide(). SECURITY: G8.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/header_field.h"
#include "policy/body.h"
#include "policy/canonical.h"
#include "policy/document.h"

namespace weir::policy {

// A request's body as far as it has been read. decide() is asked without it first; when the answer depends on the body
// (Decision::needs_body), the caller reads it, up to limits.inspected_body, and asks again.
struct Body {
  Reading graphql;
  Reading rpc;
};

struct Request {
  // "https" or "http": a request. "tls": a TLS connection before it is terminated. "tcp": a connection of any other kind.
  std::string_view scheme;
  std::string_view host;  // canonical
  std::uint16_t port = 0;
  std::string_view method;  // as sent; methods are case-sensitive (RFC 9110 §9.1)
  const CanonicalPath* path = nullptr;
  std::string_view query{};                // as sent, without its '?'
  std::span<const HeaderField> headers{};  // as sent
  bool websocket = false;                  // a WebSocket handshake (RFC 6455 §4.1)
  std::optional<std::uint64_t> body_size{};  // octets; nothing: not known before its end
  const Body* body = nullptr;              // null: not read yet
  std::int64_t now = 0;                    // seconds since 1970, UTC: for `when`
  std::span<const std::string> process{};  // executables that hold the connection, absolute; empty: not known
};

struct Decision {
  Action action = Action::deny;
  const Rule* rule = nullptr;  // the rule that decided; null: the default did. Lives as long as the Policy.
  // For a denial, else empty: "no_rule", "rule_denies", "path_ambiguous", "encoded_slash", "query_ambiguous",
  // "header_ambiguous", "content_type_ambiguous", "body_too_large", "body_unreadable", "process_unknown".
  std::string_view code;
  // The verdict hangs on the body: read it and ask again. `action` is then deny.
  bool needs_body = false;
  // Which operation of the body decided; null: the request as a whole did. Lives as long as the request's Body.
  const Operation* operation = nullptr;
  // Of a request that may pass: the smallest body_max of the rules that matched. What turns out larger must be cut off.
  std::uint64_t body_max = std::numeric_limits<std::uint64_t>::max();
  // Of a request that may pass: indices of the matching rules with a rate. Each must have room, or the request is denied
  // ("rate_exceeded"). decide() keeps no count itself.
  std::vector<std::uint32_t> rates{};
};

// How a connection to a place is to be treated, before anything of it has been read.
enum class Treatment { inspect, passthrough, tcp };

class Policy {
 public:
  // Errors only on what the loader would also refuse; `document` is kept inside.
  static Result<Policy> compile(Document document);
  Policy(Policy&&) noexcept;
  Policy& operator=(Policy&&) noexcept;
  ~Policy();

  Decision decide(const Request& request) const;

  // tcp: a rule with `tcp` lets raw connections to this place through; its bytes are not looked at. passthrough: TLS there is
  // carried as it is; what is not TLS is inspected. decide() still has the last word, with the schemes "tcp" and "tls".
  Treatment treatment_of(std::string_view canonical_host, std::uint16_t port) const;

  // Whether any request at all to this host could be let through: what DNS asks before it gives an address.
  bool could_allow_host(std::string_view canonical_host) const;

  // Whether some rule has a `process` condition, so that Request::process is needed; or a `when`, so that what is open must be
  // asked about again as time passes.
  bool wants_process() const;
  bool wants_time() const;

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
  friend std::vector<struct NearMiss> explain(const Policy& policy, const Request& request);
};

// For `weir policy explain`: each rule with the first of its conditions that did not hold (empty: it matched).
struct NearMiss {
  const Rule* rule = nullptr;
  std::string missed;  // "method GET is not in [POST]"
};
std::vector<NearMiss> explain(const Policy& policy, const Request& request);

// The sentence that goes with Decision::code.
std::string_view reason_for(std::string_view code);
std::string_view name_of(Action action);  // "allow", "log", "ask", "deny"

// Whether `address` (IPv4 or IPv6 literal) is one that no sandbox may reach unless a rule names it: loopback,
// private (RFC 1918, RFC 4193), link-local (and with it 169.254.169.254), shared (RFC 6598), multicast, unspecified,
// documentation, benchmarking, reserved, IPv4-mapped, NAT64, 6to4 and Teredo forms of these (IANA special-purpose
// registries).
bool is_special_purpose_address(std::string_view address);
bool address_in(std::string_view address, std::string_view cidr);

}  // namespace weir::policy
