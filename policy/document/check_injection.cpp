// How a credential's value gets into a request: `inject`.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "policy/document/characters.h"
#include "policy/document/check_credential.h"

namespace weir::policy {

namespace {

constexpr std::size_t kMaxText = 4096;

// Where the value goes must not be the value's to choose: whatever it holds, the text round it stays as it is written.
std::optional<Problem> check_text(std::string_view key, std::string_view format, const std::string& example) {
  if (format.find(kWholeSecret) == std::string_view::npos)
    return Problem{fmt::format("`{}` does not contain {{secret}}", key), example};
  if (format.size() > kMaxText) return Problem{fmt::format("`{}` is longer than {} characters", key, kMaxText), ""};
  if (!std::ranges::all_of(format, is_printable_ascii))  // RFC 9110 §5.5
    return Problem{fmt::format("`{}` may hold printable ASCII characters and spaces only", key), example};
  if (format.front() == ' ' || format.back() == ' ')
    return Problem{fmt::format("`{}` begins or ends with a space", key), example};
  std::string rest(format);
  for (auto at = rest.find(kWholeSecret); at != std::string::npos; at = rest.find(kWholeSecret))
    rest.erase(at, kWholeSecret.size());
  if (rest.find_first_of("{}") != std::string::npos)
    return Problem{fmt::format("`{}` has braces that are not {{secret}}", key), example};
  return std::nullopt;
}

}  // namespace

std::optional<Problem> check_header(std::string_view header) {
  if (!is_token(header) || header.size() > 128)
    return Problem{fmt::format("`{}` is not a header name", printable(header, 60)), "for instance: header: Authorization"};
  if (std::ranges::find(reserved_headers(), to_lower(header)) != reserved_headers().end())
    return Problem{fmt::format("`{}` cannot be set by a credential: it frames or routes the message", header), ""};
  return std::nullopt;
}

std::optional<Problem> check_format(std::string_view format) {
  return check_text("format", format, "for instance: format: \"Bearer {secret}\"");
}

std::optional<Problem> check_password(std::string_view format) {
  return check_text("password", format, "leave it out, and it is the secret itself");
}

std::optional<Problem> check_cookie_format(std::string_view format) {
  if (auto problem = check_text("format", format, "leave it out, and it is the secret itself")) return problem;
  if (format.find_first_of(" \",;\\") != std::string_view::npos)  // RFC 6265 §4.1.1
    return Problem{"`format` has a character that no cookie's value may have", "no space, quote, comma, semicolon or backslash"};
  return std::nullopt;
}

std::optional<Problem> check_username(std::string_view username) {  // RFC 7617 §2
  if (username.find(kWholeSecret) != std::string_view::npos)
    return Problem{"the secret cannot be the user name", "it goes under `password`"};
  if (username.find(':') != std::string_view::npos)
    return Problem{"`username` has a colon, which ends it", "what follows the colon goes under `password`"};
  if (username.size() > 256 || std::ranges::any_of(username, is_control) || valid_utf8_prefix(username) != username.size())
    return Problem{"`username` has control characters or is longer than 256", "for instance: username: x-access-token"};
  return std::nullopt;
}

// What is written the same way by everybody: no character that ends a name (WHATWG URL §5.1), and none of escapes.
std::optional<Problem> check_query_name(std::string_view name) {
  const bool good = !name.empty() && name.size() <= 128 && std::ranges::all_of(name, [](char c) {
    return is_printable_ascii(c) && std::string_view(" &=#%+;").find(c) == std::string_view::npos;
  });
  if (good) return std::nullopt;
  return Problem{fmt::format("`{}` is not the name of a parameter that can be written in one way only", printable(name, 80)),
                 "up to 128 printable characters but & = # % + ; and spaces: query: key"};
}

std::optional<Problem> check_cookie_name(std::string_view name) {  // RFC 6265 §4.1.1
  if (is_token(name) && name.size() <= 128) return std::nullopt;
  return Problem{fmt::format("`{}` is not the name of a cookie", printable(name, 80)), "for instance: cookie: session"};
}

std::optional<Problem> check_region(std::string_view region) {
  if (is_word(region, "-_", 64)) return std::nullopt;
  return Problem{fmt::format("`{}` is not a region", printable(region, 80)), "for instance: region: eu-central-1"};
}

std::optional<Problem> check_service(std::string_view service) {
  if (is_word(service, "-_.", 64)) return std::nullopt;
  return Problem{fmt::format("`{}` is not a service as signatures name it", printable(service, 80)), "for instance: service: s3"};
}

std::optional<Problem> check_injection(const Injection& inject) {
  switch (inject.kind) {
    case Injection::Kind::none:
    case Injection::Kind::client_certificate:
      return std::nullopt;
    case Injection::Kind::header:
      if (auto problem = check_header(inject.name)) return problem;
      return check_format(inject.format);
    case Injection::Kind::basic:
      if (auto problem = check_username(inject.username)) return problem;
      return check_password(inject.format);
    case Injection::Kind::query:
      if (auto problem = check_query_name(inject.name)) return problem;
      return check_format(inject.format);
    case Injection::Kind::cookie:
      if (auto problem = check_cookie_name(inject.name)) return problem;
      return check_cookie_format(inject.format);
    case Injection::Kind::aws_sigv4:
      if (auto problem = inject.region.empty() ? std::nullopt : check_region(inject.region)) return problem;
      return inject.service.empty() ? std::nullopt : check_service(inject.service);
  }
  return Problem{"it is put into requests in no known way", ""};
}

}  // namespace weir::policy
