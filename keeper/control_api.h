// What the control socket offers: docs/control.md.
#pragma once

#include <functional>
#include <string>

#include "keeper/approvals.h"
#include "keeper/control_server.h"

namespace weir::keeper {

struct ControlApi {
  Approvals* approvals = nullptr;
  std::string session;
  std::string sandbox;
  std::string project;
  std::vector<std::string> command;
  std::int64_t started_us = 0;
  std::function<std::string()> policy_hash;  // of the policy in force
  // Loads the policy anew; gives its hash. Not set: this keeper cannot.
  std::function<Result<std::string>(const Peer& by)> reload;

  ControlReply handle(const ControlRequest& request) const;

 private:
  ControlReply list() const;
  ControlReply decide(const std::string& id, const ControlRequest& request) const;
};

// The body of POST /v1/approvals/ID. Pure. An error's code is "bad_request".
Result<Ruling> parse_ruling(std::string_view body);

}  // namespace weir::keeper
