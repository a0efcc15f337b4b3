// `weir run`: one sandbox, one proxy, one session, from start to exit. The keeper is the trusted process on the host; it
// never parses a byte that came from the sandbox.
#pragma once

#include <string>

#include "base/error.h"
#include "launch/sandbox.h"
#include "keeper/prepared_policy.h"
#include "vault/vault.h"

namespace weir::keeper {

enum class Durability { group, sync };  // fsync every 100 ms and at the end | before every acknowledgement

// Who decides about requests that a rule asks about: whoever sits at the terminal, or the commands (`weir approve`) | the
// commands alone | nobody, they are denied.
enum class Asking { prompt, wait, deny };

struct RunOptions {
  LoadedPolicy policy;
  PolicySource policy_source;    // for reloads
  launch::SandboxSpec sandbox;   // without the CA and the id, which are made here
  Durability durability = Durability::group;
  Asking asking = Asking::prompt;
  std::string sessions_directory;
  std::string approvals_directory;  // of grants and what waits for one
  std::string runtime_directory;    // of the control socket
  vault::Vault vault;            // unlocked at need: a passphrase is asked for before the sandbox has the terminal
};

// Runs the command to its end. The session's id goes to `session_id` as soon as it exists. An error means that nothing was
// started: bad input, a secret that cannot be had, a host that cannot make a room.
Result<launch::ExitStatus> run_session(RunOptions options, std::string& session_id);

}  // namespace weir::keeper
