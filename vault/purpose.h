// What a value is for, and whether it can serve for that. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"

namespace weir::vault {

enum class Purpose : std::uint8_t {
  text,                // to stand in a header: no control characters
  client_certificate,  // a certificate chain and its key, in PEM form, or as Vault's pki gives them with `#*`
  aws_keys,            // what vault/aws_keys.h reads
  exchanged            // for a token, by whoever reads it then (vault/refresh.h)
};

// A value can stand in a header: not empty, no CR, LF, NUL or other control octet. `what` begins the error's sentence.
Result<void> check_value(const Secret& value, std::string_view what);

struct Usable {
  Secret value;                       // in the form in which it is used
  std::optional<std::int64_t> ends_s;  // seconds since 1970, where the value itself says so
};
// "vault_value_empty"; "vault_value_unusable" for text; "credential_invalid" for the others.
Result<Usable> usable_for(Purpose purpose, Secret value, std::string_view what);

// How long it serves: `given_ms`, and not beyond the value's own end. 0: no end known; one that is over is 1.
std::int64_t lasts_ms(std::int64_t given_ms, const std::optional<std::int64_t>& ends_s);

}  // namespace weir::vault
