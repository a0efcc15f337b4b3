#include "policy/target.h"

#include "base/text.h"
#include "policy/loading/values.h"

namespace weir::policy {

Result<Target> parse_target(std::string_view url) {
  const auto refuse = [&](std::string_view why) {
    return fail("url_invalid",
                "`" + printable(url, 300) + "` " + std::string(why) + "; write for instance https://example.com/path");
  };
  const auto mark = url.find("://");
  if (mark == std::string_view::npos) return refuse("has no scheme");
  Target target;
  target.scheme = to_lower(url.substr(0, mark));
  const bool tunnel = target.scheme == "tcp" || target.scheme == "tls";
  if (target.scheme == "wss" || target.scheme == "ws")
    target.scheme = target.scheme == "wss" ? "https" : "http", target.websocket = true;
  else if (target.scheme != "https" && target.scheme != "http" && !tunnel)
    return refuse("is not an http, https, ws, wss, tcp or tls URL");
  auto rest = url.substr(mark + 3);
  rest = rest.substr(0, rest.find('#'));
  if (const auto question = rest.find('?'); question != std::string_view::npos) {
    target.query = rest.substr(question + 1);
    rest = rest.substr(0, question);
  }
  const auto authority = rest.substr(0, rest.find('/'));
  const auto path = rest.substr(authority.size());
  if (authority.find('@') != std::string_view::npos) return refuse("has a user name, which no request carries in its URL");
  const auto host = read_host_pattern(authority);
  if (!host) return refuse("has no usable host (" + host.error().message + ")");
  if (host->kind != HostPattern::Kind::exact) return refuse("has a pattern for a host");
  target.host = host->name;
  if (tunnel && target.scheme == "tcp" && !host->port) return refuse("has no port, and a raw connection needs one");
  if (tunnel && !path.empty()) return refuse("has a path, which a raw connection does not");
  target.port = host->port.value_or(target.scheme == "http" ? 80 : 443);
  target.path = canonical_path(path.empty() ? "/" : path);
  return target;
}

}  // namespace weir::policy
