#include "proxy/http1/request_target.h"

#include "base/text.h"

namespace weir::proxy {
namespace {

std::unexpected<Error> bad(const char* why) { return fail("bad_target", std::string("the request target ") + why); }

}  // namespace

Result<RequestTarget> parse_request_target(std::string_view method, std::string_view target) {
  RequestTarget parsed;
  for (const char c : target) {
    const auto byte = static_cast<unsigned char>(c);
    // Not allowed in any URI (RFC 3986 §2); '"', '<', '>', '`', '{', '|', '}', '^' are sent by real clients in queries and stay.
    if (byte <= 0x20 || byte >= 0x7F || c == '#' || c == '\\') return bad("has a character that may not be in it");
  }
  if (method == "CONNECT") {
    if (target.empty() || target.find_first_of("/?@") != std::string_view::npos) return bad("of CONNECT is not host:port");
    parsed.form = RequestTarget::Form::authority;
    parsed.authority = target;
    return parsed;
  }
  if (target == "*") {
    if (method != "OPTIONS") return bad("* is for OPTIONS only");
    parsed.form = RequestTarget::Form::asterisk;
    return parsed;
  }
  if (!target.starts_with('/')) {
    const auto colon = target.find("://");
    if (colon == std::string_view::npos) return bad("is in no known form");
    parsed.form = RequestTarget::Form::absolute;
    parsed.scheme = target.substr(0, colon);
    if (equals_ignoring_case(parsed.scheme, "http")) {
      parsed.scheme = "http";
    } else if (equals_ignoring_case(parsed.scheme, "https")) {
      parsed.scheme = "https";
    } else {
      return bad("has a scheme other than http and https");
    }
    target.remove_prefix(colon + 3);
    const auto end = target.find_first_of("/?");
    parsed.authority = target.substr(0, end);
    if (parsed.authority.empty()) return bad("names no host");
    if (parsed.authority.find('@') != std::string_view::npos) return bad("holds user information");
    target.remove_prefix(end == std::string_view::npos ? target.size() : end);
  }
  const auto question = target.find('?');
  parsed.path = target.substr(0, question);
  if (parsed.path.empty()) parsed.path = "/";
  if (question != std::string_view::npos) parsed.query = target.substr(question);
  return parsed;
}

}  // namespace weir::proxy
