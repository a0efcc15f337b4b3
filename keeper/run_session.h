// `weir run`: one sandbox, one proxy, one session, from start to exit. The keeper is the trusted process on the host; it
// never parses a byte that came from the sandbox.
#pragma once

#include <string>

#include "base/error.h"
#include "launch/sandbox.h"
#include "policy/document.h"
#include "vault/vault.h"

namespace weir::keeper {

enum class Durability { group, sync };  // fsync every 100 ms and at the end | before every acknowledgement

struct RunOptions {
  policy::Document policy;       // each credential's `from` is the source to use
  std::string policy_text_hash;  // "sha256:…" of the file's bytes, for the record
  launch::SandboxSpec sandbox;   // without the CA and the id, which are made here
  Durability durability = Durability::group;
  std::string sessions_directory;
  vault::Vault vault;            // unlocked at need: a passphrase is asked for before the sandbox has the terminal
};

// Runs the command to its end. The session's id goes to `session_id` as soon as it exists. An error means that nothing was
// started: bad input, a secret that cannot be had, a host that cannot make a room.
Result<launch::ExitStatus> run_session(RunOptions options, std::string& session_id);

}  // namespace weir::keeper
