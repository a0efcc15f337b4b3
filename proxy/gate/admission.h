// Whether one request may go on: target, names and path made canonical, then the policy asked. No I/O.
// This is the only caller of Policy::decide in the proxy. SECURITY: G7, G8.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "events/event.h"
#include "policy/policy.h"
#include "proxy/gate/policy_in_use.h"
#include "proxy/gate/refusal.h"

namespace weir::proxy {

class Connection;
struct Gate;

struct Admission {
  PolicyHandle policy;           // that decided; the request stays under it to its end
  std::string id;                // "req_…"
  std::string host;              // canonical
  policy::CanonicalPath path;
  std::string_view query;        // with its '?', into the head's bytes; may be empty
  std::string_view tunnel;       // "tcp" or "tls": a connection that is carried unread, not a request
  bool websocket = false;        // a WebSocket handshake
  bool body_read = false;
  policy::Body body;             // what decide() may ask for; operations that it names lie in here
  policy::Decision decision;
  std::vector<std::uint32_t> credentials;  // indices into the policy's
  std::string credential_names;            // for events
  std::string tokens;  // kinds of tokens in it that somebody is asked about (`leaks: ask`)
};

// By the policy in force. When decision.needs_body, the caller reads the body and asks decide_by_body().
std::expected<Admission, Refusal> admit(Gate& gate, const Connection& connection);

// The same request once more, now that its body is there (`readable`), or is known to be too large or broken; by the policy that is
// in force by now, for bodies take their time.
void decide_by_body(const Gate& gate, const Connection& connection, Admission& admission, std::string_view body, bool readable);

// The verdict on a request that goes on for long, by another policy.
policy::Decision decide_again(const PolicyInUse& policy, const Connection& connection, const Admission& admission);

// A connection that is carried unread: `scheme` is "tcp" or "tls".
Admission admit_tunnel(Gate& gate, const Connection& connection, std::string_view scheme);
policy::Decision decide_tunnel_again(const PolicyInUse& policy, const Connection& connection, std::string_view scheme);

// Why a denied request was denied, as the client is told.
Refusal refusal_for(const Connection& connection, const Admission& admission);

// The fields that egress.request and egress.denied share.
void put_request_fields(events::Fields& fields, const Connection& connection, const Admission& admission);
void put_process(events::Fields& fields, const Connection& connection);  // where it is known

}  // namespace weir::proxy
