// The answer of a token endpoint (RFC 6749 §5.1), in JSON or, as some services have it, as a form: tokens are taken out and
// placeholders put in their place. Pure; nothing of a token is left in memory but in what it gives.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/secret.h"
#include "proxy/credentials/wiped_text.h"

namespace weir::proxy {

struct TokenPlace {
  std::string_view
      member;  // top level, or with dots inside ("authed_user.access_token"); in a form: the parameter's whole name
  std::uint32_t id = 0;
  std::string_view placeholder;
};

struct CaughtToken {
  std::uint32_t id = 0;
  Secret token;
};

struct CaughtAnswer {
  std::vector<CaughtToken> tokens;   // those that were there, as non-empty strings that are not the placeholder already
  WipedText body;                    // the answer, all else as it was
  std::int64_t expires_seconds = 0;  // expires_in, where it is a whole number (or its digits as a string); else 0
};

// What the answer is, is decided so that no token goes on unseen (SECURITY: G2):
// - a JSON object is read as one, whatever content type it has;
// - else, what says that it is JSON must be JSON, and what says that it is a form is read as one;
// - else (text/plain, text/html, no type …), it is read as a form where it looks like one throughout and has a parameter of
// such a name;
// - else it goes on as it is, if it nowhere has the text of a member's name (of the last part, where there are dots).
// An answer without any of the members, such as an error (RFC 6749 §5.2), goes on as it is, and an empty one does.
// `body` is whole and not encoded (no gzip).
// "token_answer_unreadable": none of these, or a member stands twice, or it is neither a string nor null nor true or false:
// it must not go to the sandbox then, for it may hold tokens.
Result<CaughtAnswer> catch_tokens(std::string_view content_type, std::string_view body, std::span<const TokenPlace> places);

}  // namespace weir::proxy
