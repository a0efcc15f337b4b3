// What may stand between a request's head and its way upstream: a body that has to be read before it can be decided, a rate,
// somebody who is asked. Nothing of the request leaves before.
#pragma once

#include <expected>

#include "proxy/gate/connection.h"
#include "proxy/gate/admission.h"

namespace weir::proxy {

// Reads the body, up to limits.inspected_body, into connection.read_body, and decides anew. What is larger or broken counts
// as unreadable; the rest of it is then still to come (connection.partly_read). All arguments outlive the call.
io::Task<void> inspect_body(Gate& gate, Connection& connection, Admission& admission);

// Carries out the decision: counts the request against rates, holds it while somebody is asked. An error: it does not pass.
io::Task<std::expected<void, Refusal>> may_pass(Gate& gate, Connection& connection, Admission& admission);

}  // namespace weir::proxy
