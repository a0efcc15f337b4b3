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
  std::string_view member;       // top level, or with dots inside ("authed_user.access_token")
  std::uint32_t id = 0;
  std::string_view placeholder;
};

struct CaughtToken {
  std::uint32_t id = 0;
  Secret token;
};

struct CaughtAnswer {
  std::vector<CaughtToken> tokens;  // those that were there, as non-empty strings that are not the placeholder already
  WipedText body;                   // the answer, all else as it was
  std::int64_t expires_seconds = 0;  // expires_in, where it is a whole number; else 0
};

// "token_answer_unreadable": it is neither, though it says so, or a member stands twice: it must not go to the sandbox then, for it may hold tokens.
Result<CaughtAnswer> catch_tokens(std::string_view content_type, std::string_view body, std::span<const TokenPlace> places);

}  // namespace weir::proxy
