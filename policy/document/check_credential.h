// What a credential and `oauth` must be: where the value comes from, how it gets into a request, what it is exchanged for. As in
// check.h, the loader says it with a place in the file, Policy::compile() once more.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/document/check.h"

namespace weir::policy {

// from, ttl
std::optional<Problem> check_source(std::string_view from);         // a credential's `from`
std::optional<Problem> check_plain_source(std::string_view source);  // env:, file: or store: alone, as `client_secret` has it
std::optional<Problem> check_ttl(const Credential& credential);
std::optional<Problem> check_name(std::string_view what, std::string_view name);

// inject
std::optional<Problem> check_header(std::string_view header);
std::optional<Problem> check_format(std::string_view format);  // of a header or a parameter
std::optional<Problem> check_password(std::string_view format);
std::optional<Problem> check_cookie_format(std::string_view format);
std::optional<Problem> check_username(std::string_view username);
std::optional<Problem> check_query_name(std::string_view name);
std::optional<Problem> check_cookie_name(std::string_view name);
std::optional<Problem> check_region(std::string_view region);
std::optional<Problem> check_service(std::string_view service);
std::optional<Problem> check_injection(const Injection& inject);
inline constexpr std::string_view kWholeSecret = "{secret}";  // `format`, where it may be left out

// substitute
inline constexpr std::size_t kMinRandom = 16;        // characters, all of a shape's together
inline constexpr std::size_t kMaxRandom = 256;       // of one {random:N}
inline constexpr std::size_t kMaxPlaceholder = 4096;  // octets, of a shape and of what is made of it, without claims
std::optional<Problem> check_shape(std::string_view shape);
std::optional<Problem> check_variable(std::string_view name);  // `env`
std::span<const std::string_view> own_variables();             // that weir itself sets in a sandbox
std::optional<Problem> check_substitution(const Substitution& substitute);

// refresh
inline constexpr std::uint32_t kMinRoleSeconds = 15 * 60;  // what AWS STS takes
inline constexpr std::uint32_t kMaxRoleSeconds = 12 * 3600;
std::optional<Problem> check_endpoint(std::string_view url);  // https, or http at a loopback address
std::optional<Problem> check_base_url(std::string_view url);  // the same without a query
std::optional<Problem> check_grant(std::string_view grant);
std::optional<Problem> check_client_id(std::string_view id);
std::optional<Problem> check_scope(std::string_view scope);
std::optional<Problem> check_form_name(std::string_view name);  // under `parameters`
std::optional<Problem> check_form_value(std::string_view value);
std::optional<Problem> check_number(std::string_view number);  // `installation`
std::optional<Problem> check_repository(std::string_view name);
std::optional<Problem> check_permission(std::string_view name);
std::optional<Problem> check_access(std::string_view access);  // of a permission
std::optional<Problem> check_subject(std::string_view subject);
std::optional<Problem> check_role(std::string_view arn);
std::optional<Problem> check_session_name(std::string_view name);
std::optional<Problem> check_external_id(std::string_view id);
std::optional<Problem> check_role_duration(std::uint32_t seconds);
// What goes together in one `refresh`; the key is one of its kind's.
std::vector<Contradiction> find_contradictions(const Refresh& refresh);
std::optional<Problem> check_refresh(const Refresh& refresh);

// What goes together in a credential. Nothing is said of keys that are missing because they could not be read: `given` says whether
// a key is written.
std::vector<Contradiction> find_contradictions(const Credential& credential, const std::function<bool(std::string_view key)>& given);
std::optional<Problem> check_credential(const Credential& credential);

// oauth
std::optional<Problem> check_member(std::string_view member);  // of a token endpoint's answer
std::optional<Problem> check_capture(const OAuthCapture& capture);
std::string token_url(const OAuthCapture& capture);  // as the file writes it

// What is wrong with `oauth` beside the credentials that there are.
struct OAuthProblem {
  std::size_t entry = 0;            // index into document.oauth
  std::optional<std::size_t> kept;  // index into its `keep`; nothing: the entry itself
  Problem problem;
};
std::vector<OAuthProblem> find_oauth_problems(const Document& document, std::size_t most);

// Two credentials that would be in the same place: of a request at one destination, or of the sandbox's environment. Indices into
// document.credentials.
struct CredentialConflict {
  std::size_t first = 0, second = 0;
  std::string what;  // "header `Authorization`", "variable `TOKEN`"
  bool in_request = true;
};
std::vector<CredentialConflict> find_credential_conflicts(const Document& document, std::size_t most);

}  // namespace weir::policy
