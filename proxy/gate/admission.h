// Whether one request may go on: target, names and path made canonical, then the policy asked. No I/O.
// This is the only caller of Policy::decide in the proxy. SECURITY: G7, G8.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "events/event.h"
#include "policy/policy.h"
#include "proxy/gate/refusal.h"

namespace weir::proxy {

class Connection;
struct Gate;

struct Admission {
  std::string id;                // "req_…"
  std::string host;              // canonical
  policy::CanonicalPath path;
  std::string_view query;        // with its '?', into the head's bytes; may be empty
  policy::Decision decision;
  std::vector<std::uint32_t> credentials;  // indices into the policy's
  std::string credential_names;            // for events
};

std::expected<Admission, Refusal> admit(Gate& gate, const Connection& connection);

// The fields that egress.request and egress.denied share.
void put_request_fields(events::Fields& fields, const Connection& connection, const Admission& admission);

}  // namespace weir::proxy
