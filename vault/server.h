// The HashiCorp Vault or OpenBao that "vault:" sources are read from.
#pragma once

#include <string>

#include "base/error.h"

namespace weir::vault {

struct ServerSettings {
  std::string address;  // https://host:port; http:// for this machine only
  std::string name_space;
  std::string ca_file, ca_path, client_certificate, client_key, server_name;
  std::string method;  // token (also when empty), approle, jwt, kubernetes, cert, userpass
  std::string mount;   // where the method is mounted; empty: its own name
  std::string role;    // approle's role_id; the role of jwt, kubernetes and (optional) cert
  std::string user;    // of userpass
  std::string
      secret;  // "env:NAME" or "file:PATH" (0600): the token, secret_id, JWT or password. Empty: token: $VAULT_TOKEN, then
               // ~/.vault-token; kubernetes: the pod's service account
  bool wrapped = false;  // the secret is a wrapping token that stands for it
  bool operator==(const ServerSettings&) const = default;
};

// What is empty is taken from VAULT_ADDR, VAULT_NAMESPACE, VAULT_CACERT, VAULT_CAPATH, VAULT_CLIENT_CERT, VAULT_CLIENT_KEY
// and VAULT_TLS_SERVER_NAME. "vault_settings": no address, plain HTTP to another machine, VAULT_SKIP_VERIFY, a method that
// there is not.
Result<ServerSettings> complete_settings(ServerSettings given);

}  // namespace weir::vault
