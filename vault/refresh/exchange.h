// One exchange: a value for a token. Blocks on the network. Each kind is in a file of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"
#include "vault/http/client.h"
#include "vault/refresh.h"

namespace weir::vault {

struct Exchanged {
  Secret value;
  std::int64_t lasts_ms = 0;  // from now; 0: the service did not say
  Secret next_base{};         // replaces the refresh token that was used; empty: it goes on
};

// Errors: "refresh_denied": the service has answered, and the answer is no. "refresh_invalid": the value or the settings cannot
// be used. What passes: "refresh_unreachable", "refresh_busy", and "refresh_refused", an answer that is none (of a proxy, a portal,
// another service). Their texts hold what the service said, where that holds none of the secrets.
// `client_secret`: empty where there is none.
using Exchange = Result<Exchanged>(http::Client& client, const RefreshSettings& settings, const Secret& base,
                                   const Secret& client_secret);
Exchange exchange;             // by settings.kind
Exchange exchange_oauth2;      // RFC 6749 §4.4, §6
Exchange exchange_github_app;  // "Generating an installation access token for a GitHub App", GitHub's REST API
Exchange exchange_google;      // RFC 7523 §2.1 as "Using OAuth 2.0 for Server to Server Applications" of Google has it
Exchange exchange_aws_role;    // AssumeRole and AssumeRoleWithWebIdentity of the AWS STS API, version 2011-06-15

http::Client token_client(const RefreshSettings& settings);  // what all of them ask with

// The service's answer, where it is one about the question; `request.worth_another` and more are set here.
Result<http::Answer> ask(http::Client& client, http::Request request);

// Seconds since 1970 by the service's clock, where it told it, else by ours.
std::int64_t service_time_s(const http::Answer& answer);

// " (this machine's clock is N s ahead of the service's)", where that may be why it says no; else nothing.
std::string clock_hint(const http::Answer& answer);

// ": TEXT", cut to one line; nothing where it holds one of the secrets. SECURITY: G2.
std::string service_words(std::string_view text, std::initializer_list<std::string_view> secrets);

// The value of an access token as its service gave it. "refresh_refused".
Result<Secret> usable_token(Secret token, const std::string& url);

}  // namespace weir::vault
