// Puts a credential's value into a request (docs/credentials.md): the kinds header, basic, query and cookie. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "policy/document.h"
#include "proxy/credentials/draft_request.h"

namespace weir::proxy {

// What the client sent in that place is taken out first, wherever and however often and in whatever case or escaping it stood:
// all fields of that header; all parameters whose decoded name is that name; that cookie in any Cookie field.
// Error "credential_unusable": the value cannot stand there (RFC 9110 §5.5, RFC 6265 §4.1.1); the draft is then not to be sent.
Result<void> inject(const policy::Injection& injection, std::string_view secret, DraftRequest& draft);

// Whether a header (or trailer) of that name from the client must not go on beside this injection.
bool takes_the_place_of(const policy::Injection& injection, std::string_view header);

// Where it goes, for the record: "header Authorization", "basic", "query key", "cookie sid", "client certificate", "aws signature".
std::string place_of(const policy::Credential& credential);

}  // namespace weir::proxy
