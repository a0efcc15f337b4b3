// Puts a credential's value into a request (docs/credentials.md): the kinds header, basic, query and cookie. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "policy/document.h"
#include "proxy/credentials/draft_request.h"

namespace weir::proxy {

// What the client sent in that place is taken out first, wherever and however often and in whatever case or escaping it
// stood: all fields of that header ('_' counts as '-', which some servers make one); all parameters whose decoded name is
// that name, also where ';' parts them; that cookie in any Cookie field. What servers might take for that name in another
// case is taken out too. A parameter goes to the end of the query. Cookie fields become one, with weir's cookie first: no
// quote before it can hide it. Values are put in as they are needed there: a parameter percent-encoded, Basic's in base64.
// Error "credential_unusable": the value cannot stand there (RFC 9110 §5.5, RFC 7617 §2, RFC 6265 §4.1.1) or is empty; the
// draft is then as it was, and not to be sent. Other kinds of injection: nothing is done. `injection` outlives the draft.
Result<void> inject(const policy::Injection& injection, std::string_view secret, DraftRequest& draft);

// Whether a header from the client (with `trailer`: a trailer) of that name must not go on beside this injection. inject()
// has seen to headers by itself; for aws_sigv4, sigv4::plan() reads the client's Authorization first, and sign() takes it
// out. Cookies are taken out one by one, so the header may go on, a trailer may not.
bool takes_the_place_of(const policy::Injection& injection, std::string_view header, bool trailer = false);

// Where it goes, for the record: "header Authorization", "basic", "query key", "cookie sid", "client certificate", "aws
// signature", "placeholder" for a credential that substitutes; "" where it goes nowhere.
std::string place_of(const policy::Credential& credential);

}  // namespace weir::proxy
