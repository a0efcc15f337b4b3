// What AWS STS answers, in JSON or XML. Pure; no copy of a key is left anywhere. SECURITY: G2.
// Source: AWS STS API reference, AssumeRole (the XML form); its JSON form is the same with members for elements.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"

namespace weir::vault {

struct StsKeys {
  Secret keys;              // "ID\nSECRET\nTOKEN"
  std::int64_t ends_s = 0;  // since 1970
};
// `action`: "AssumeRole" or "AssumeRoleWithWebIdentity". Nothing where it is no such answer or one of the four is missing.
std::optional<StsKeys> read_sts_keys(std::string_view answer, std::string_view action);

struct StsError {
  std::string code, message;
};
std::optional<StsError> read_sts_error(std::string_view answer);

}  // namespace weir::vault
