// The signature that a client put into its request, as far as it matters: not whether it is right. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "proxy/credentials/draft_request.h"
#include "proxy/sigv4/canonical.h"

namespace weir::proxy::sigv4 {

struct ClientSignature {
  enum class Where : std::uint8_t { nowhere, header, query } where = Where::nowhere;
  std::string region, service;
  std::string signed_headers;
  std::int64_t expires_seconds = 0;
};

// "signature_unreadable": there is something, and it is no signature of version 4, or there are two.
Result<ClientSignature> read_client_signature(const DraftRequest& draft, const std::vector<Parameter>& parameters);

// Whether it belongs to a signature, wherever that stands.
bool is_signature_header(std::string_view name);
bool is_signature_parameter(std::string_view encoded_name);

// May stand in a scope: letters, digits, '-', '_' and '.', and not nothing.
bool is_scope_part(std::string_view text);

}  // namespace weir::proxy::sigv4
