// JSON Web Tokens signed with RS256 (RFC 7519, RFC 7518 §3.3). Pure.
#pragma once

#include <string_view>

#include "base/error.h"
#include "base/secret.h"

namespace weir::vault {

// HEADER.CLAIMS.SIGNATURE. `pem`: an RSA key of 2048 bits or more, PKCS#1 or PKCS#8, without a passphrase. "refresh_invalid";
// `what` names the key in its sentence.
Result<Secret> signed_jwt(std::string_view header, std::string_view claims, std::string_view pem, std::string_view what);

}  // namespace weir::vault
