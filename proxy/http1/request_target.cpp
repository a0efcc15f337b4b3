#include "proxy/http1/request_target.h"

#include "base/text.h"
#include "proxy/http1/field_syntax.h"
#include "proxy/http1/host_port.h"

namespace weir::proxy {
namespace {

std::unexpected<Error> bad(std::string why) { return fail("bad_target", "the request target " + why); }

}  // namespace

Result<RequestTarget> parse_request_target(std::string_view method, std::string_view target) {
  RequestTarget parsed;
  if (target.empty()) return bad("is empty");
  // '"', '<', '>', '^', '`', '{', '|', '}' are not in RFC 3986, but real clients send them as they are: they stay.
  for (const char c : target)
    if (!is_byte_of(kTargetByte, c)) return bad("holds white space, a control character, '#' or a byte that is not ASCII");
  if (method == "CONNECT") {
    const auto host = split_host_port(target);
    if (!host || !host->port) return bad("of CONNECT is not host:port");
    parsed.form = RequestTarget::Form::authority;
    parsed.authority = target;
    return parsed;
  }
  if (target == "*") {
    if (method != "OPTIONS") return bad("`*` is for OPTIONS only");
    parsed.form = RequestTarget::Form::asterisk;
    return parsed;
  }
  if (target.front() != '/') {
    const auto colon = target.find("://");
    if (colon == std::string_view::npos) return bad("has none of the forms /path, http://host/path and *");
    const std::string_view scheme = target.substr(0, colon);
    if (equals_ignoring_case(scheme, "http")) {
      parsed.scheme = "http";
    } else if (equals_ignoring_case(scheme, "https")) {
      parsed.scheme = "https";
    } else {
      return bad("has a scheme other than http and https");
    }
    parsed.form = RequestTarget::Form::absolute;
    target.remove_prefix(colon + 3);
    const auto end = target.find_first_of("/?");
    parsed.authority = target.substr(0, end);
    if (const auto host = split_host_port(parsed.authority); !host)
      return bad("names a host that is none: " + host.error().message);
    target.remove_prefix(end == std::string_view::npos ? target.size() : end);
  }
  const auto question = target.find('?');
  parsed.path = target.substr(0, question);
  // A browser and many servers read it as '/', others as a byte like any other.
  if (parsed.path.find('\\') != std::string_view::npos) return bad("has a backslash in its path");
  if (parsed.path.empty()) parsed.path = "/";
  if (question != std::string_view::npos) parsed.query = target.substr(question);
  return parsed;
}

}  // namespace weir::proxy
