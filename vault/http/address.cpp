#include "vault/http/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <string>

#include "base/text.h"

namespace weir::vault::http {

bool is_this_machine(std::string_view authority) {
  for (const std::string_view host : {"localhost", "[::1]"})
    if (authority.starts_with(host) && (authority.size() == host.size() || authority[host.size()] == ':')) return true;
  const std::string host(authority.substr(0, authority.find(':')));
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

Result<void> check_address(std::string_view url, std::string_view what) {
  const auto wrong = [&](std::string_view why) {
    return fail("refresh_invalid", std::string(what) + ": `" + printable(url, 200) + "` " + std::string(why));
  };
  const auto slashes = url.find("://");
  const auto scheme = url.substr(0, slashes);
  if (slashes == std::string_view::npos || (scheme != "https" && scheme != "http")) return wrong("is not an https:// address");
  const auto rest = url.substr(slashes + 3);
  const auto authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.empty() || authority.front() == ':') return wrong("names no host");
  const bool odd = std::ranges::any_of(url, [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f || c == '#' || c == '\\';
  });
  if (odd || authority.find('@') != std::string_view::npos)
    return wrong("may have no user name, no fragment, no blanks and no characters beyond ASCII");
  if (scheme == "http" && !is_this_machine(authority)) return wrong("would send secrets in the clear; use https://");
  return {};
}

}  // namespace weir::vault::http
