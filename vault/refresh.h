// What a value is exchanged for before it is used: a token that lives shortly (docs/credentials.md, `refresh`).
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace weir::vault {

struct RefreshSettings {
  enum class Kind : std::uint8_t { none, oauth2, github_app, google, aws_role } kind = Kind::none;
  std::string url{};    // oauth2: the token endpoint; github_app: the API, empty: https://api.github.com; google: the token endpoint,
                        // empty: as the key says; aws_role: STS, empty: AWS's own in the region
  std::string grant{};  // oauth2: "client_credentials" or "refresh_token"
  std::string client_id{};                // oauth2; github_app: the App's id
  std::string client_secret{};            // oauth2, refresh_token: a source; empty: a public client
  bool secret_in_body = false;            // oauth2: client_secret_post instead of client_secret_basic
  std::string account{};                  // github_app: the installation; google: the subject; aws_role: the role's ARN
  std::vector<std::string> scopes{};      // oauth2, google; github_app: repositories
  std::vector<std::pair<std::string, std::string>> parameters{};  // oauth2: more of the form; github_app: permissions
  std::string region{}, session{}, external_id{};                 // aws_role
  bool web_identity = false;                                      // aws_role: the value is an OIDC token, else keys
  std::uint32_t duration_seconds = 0;                             // aws_role; 0: AWS's default
  std::string ca_pem{};  // certificates that are trusted besides the system's
  bool operator==(const RefreshSettings&) const = default;
};

// What is wrong with them, before anything is sent: "refresh_invalid".
Result<void> check_refresh(const RefreshSettings& settings);

}  // namespace weir::vault
