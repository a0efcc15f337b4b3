// What a request says of its payload: x-amz-content-sha256, in its header or, presigned, in the query.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "proxy/sigv4/canonical.h"
#include "proxy/sigv4/sigv4.h"

namespace weir::proxy::sigv4 {

inline constexpr std::string_view kContentHash = "x-amz-content-sha256";

// "" where it says nothing. "signature_unreadable": it says it twice.
Result<std::string_view> stated_payload(const DraftRequest& draft, const std::vector<Parameter>& parameters, bool presigned);
Result<Plan::Payload> payload_kind(std::string_view stated);
std::string_view payload_text(Plan::Payload payload);  // of the kinds that have one
bool is_hash(std::string_view text);

}  // namespace weir::proxy::sigv4
