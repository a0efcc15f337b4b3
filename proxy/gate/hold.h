// What may stand between a request's head and its way upstream: a body that has to be read before it can be decided, a rate,
// somebody who is asked. Nothing of the request leaves before.
#pragma once

#include <expected>

#include "proxy/gate/connection.h"
#include "proxy/gate/admission.h"
#include "proxy/gate/leak_guard.h"

namespace weir::proxy {

// Reads the body, up to limits.inspected_body, into connection.read_body, and decides anew. What is larger or broken counts
// as unreadable; the rest of it is then still to come (connection.partly_read). All arguments outlive the call.
io::Task<void> inspect_body(Gate& gate, Connection& connection, Admission& admission);

// Reads the body as inspect_body() does, without deciding. False: it is not all there.
io::Task<bool> gather_body(Gate& gate, Connection& connection, std::uint64_t limit);

// Looks for what must not get out, in the head and in a body that is there or has to be read first; makes the decision `ask` where
// somebody is to be asked about a token. An error: it does not pass. The policy's credentials are up to date.
io::Task<std::expected<void, Refusal>> examine(Gate& gate, Connection& connection, Admission& admission, LeakGuard& guard);

// Carries out the decision: counts the request against rates, holds it while somebody is asked. An error: it does not pass.
io::Task<std::expected<void, Refusal>> may_pass(Gate& gate, Connection& connection, Admission& admission);

}  // namespace weir::proxy
