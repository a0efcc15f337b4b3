// Placeholders: `substitute`.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"
#include "policy/document/characters.h"
#include "policy/document/check_credential.h"

namespace weir::policy {

namespace {

constexpr std::string_view kRandom = "{random:";
constexpr std::string_view kClaims = "{claims}";
constexpr std::string_view kMarks = "._~/+=-";  // beside letters and digits

// launch/process/environment.cpp sets these; tests/policy/own_variables_test.cpp compares.
constexpr std::array<std::string_view, 25> kOwnVariables = {
    "PATH",         "HOME",           "USER",           "LOGNAME",        "PWD",
    "TMPDIR",       "WEIR_SANDBOX",   "SSL_CERT_FILE",  "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE",
    "GIT_SSL_CAINFO", "PIP_CERT",     "CARGO_HTTP_CAINFO", "AWS_CA_BUNDLE", "DENO_CERT",
    "NIX_SSL_CERT_FILE", "HTTPLIB2_CA_CERTS", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "npm_config_cafile", "YARN_HTTPS_CA_FILE_PATH",
    "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", "UV_SSL_CERT_FILE", "BUNDLE_SSL_CA_CERT", "HEX_CACERTS_PATH", "NODE_EXTRA_CA_CERTS"};

Problem not_a_shape(std::string message) { return {std::move(message), "for instance: shape: \"sk_live_{random:24}\""}; }

// The number of a `{random:N}` that `rest` begins with, which is taken off; nothing when it is none.
std::optional<std::size_t> take_random(std::string_view& rest) {
  const auto end = rest.find('}');
  if (!rest.starts_with(kRandom) || end == std::string_view::npos) return std::nullopt;
  const auto digits = rest.substr(kRandom.size(), end - kRandom.size());
  std::size_t count = 0;
  if (!is_number(digits, 3)) return std::nullopt;
  std::from_chars(digits.data(), digits.data() + digits.size(), count);
  if (count > kMaxRandom) return std::nullopt;
  rest.remove_prefix(end + 1);
  return count;
}

}  // namespace

std::span<const std::string_view> own_variables() { return kOwnVariables; }

// SECURITY: G2. A placeholder is found again by its exact text, so that must be too random to stand anywhere by chance or to be guessed:
// 16 of 62 characters are 95 bits. Its characters are such that tools pass it on as it is.
std::optional<Problem> check_shape(std::string_view shape) {
  if (shape.size() > kMaxPlaceholder) return not_a_shape(fmt::format("`shape` is longer than {} characters", kMaxPlaceholder));
  std::size_t random = 0, length = 0;
  auto rest = shape;
  if (rest.starts_with(kClaims)) rest.remove_prefix(kClaims.size());
  while (!rest.empty()) {
    if (rest.front() != '{') {
      if (!is_word(rest.substr(0, 1), kMarks, 1))
        return not_a_shape("`shape` may hold letters, digits, . _ ~ / + = - and {random:N} only");
      rest.remove_prefix(1);
      ++length;
    } else if (rest.starts_with(kClaims)) {
      return not_a_shape("{claims} may stand at the beginning of `shape` only, and once");
    } else if (const auto count = take_random(rest)) {
      random += *count;
      length += *count;
    } else {
      return not_a_shape(fmt::format("`{}` in `shape` is not {{random:N}} with N from 1 to {}",
                                     printable(rest.substr(0, std::min(rest.find('}'), rest.size() - 1) + 1), 60), kMaxRandom));
    }
  }
  if (random < kMinRandom)
    return not_a_shape(fmt::format("`shape` has {} random characters, and {} are the least", random, kMinRandom));
  if (length > kMaxPlaceholder) return not_a_shape(fmt::format("`shape` makes a placeholder of more than {} characters", kMaxPlaceholder));
  return std::nullopt;
}

std::optional<Problem> check_variable(std::string_view name) {
  if (!is_word(name, "_", 128) || is_digit(name.front()))
    return Problem{fmt::format("`{}` is not the name of an environment variable", printable(name, 100)),
                   "for instance: env: STRIPE_API_KEY"};
  if (std::ranges::find(kOwnVariables, name) != kOwnVariables.end())
    return Problem{fmt::format("`{}` is a variable that weir itself sets in the sandbox", name), "choose another"};
  return std::nullopt;
}

std::optional<Problem> check_substitution(const Substitution& substitute) {
  if (substitute.shape.empty())
    return substitute == Substitution{} ? std::nullopt : std::optional(Problem{"`substitute` has no `shape`", ""});
  if (auto problem = check_shape(substitute.shape)) return problem;
  if (!substitute.in_header && !substitute.in_query && !substitute.in_path && !substitute.in_body)
    return Problem{"`in` names no place where the placeholder is replaced", ""};
  return substitute.env.empty() ? std::nullopt : check_variable(substitute.env);
}

}  // namespace weir::policy
