// A policy with all that it takes to put it into force: found wrong, if it is, before anything is started or changed.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/secret.h"
#include "policy/document.h"
#include "vault/vault.h"

namespace weir::keeper {

struct LoadedPolicy {
  policy::Document document;  // each credential's `from` is the source to use
  std::string text_hash;      // "sha256:…" of the file's bytes, for the record
};

// Where the policy came from, so that it can be loaded once more.
struct PolicySource {
  std::string file;  // absolute; changes to it are noticed. Empty: it is no file, or one that the sandbox could change
  std::function<Result<LoadedPolicy>(vault::Vault&)> load;  // not set: cannot be loaded anew
};

struct PreparedPolicy {
  LoadedPolicy loaded;
  std::vector<vault::Obtained> secrets;  // one for each credential, in their order; the session takes them
  std::string upstream_ca_pem;  // contents of upstream.ca_file
};

// Fetches the secrets and reads the CA file. `may_ask`: a locked vault may ask for its passphrase, for nobody else has the
// terminal yet.
Result<PreparedPolicy> prepare_policy(LoadedPolicy loaded, vault::Vault& vault, bool may_ask);

}  // namespace weir::keeper
