// A client's certificate with its key, in PEM form (RFC 7468). Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"

namespace weir::vault {

// When the first certificate ends, in seconds since 1970. It holds at least one certificate and exactly one private key,
// without a passphrase, which is the first certificate's. Else "credential_invalid"; `what` begins the sentence.
Result<std::int64_t> check_client_certificate(const Secret& pem, std::string_view what);

// What Vault's pki gives (certificate, ca_chain, private_key) in PEM form; anything else as it is.
Secret client_certificate_as_pem(Secret value);

}  // namespace weir::vault
