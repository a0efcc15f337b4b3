// Hosts and paths: the canonical form of a canonical form is itself, and holds nothing that a second parser could take
// for something else.
#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdlib>

#include "policy/canonical.h"
#include "policy/policy.h"

namespace {

using namespace weir::policy;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_host(std::string_view text) {
  const auto host = canonical_host(text);
  if (!host) return;
  require(canonical_host(*host).value_or("") == *host);
  require(!host->empty() && host->size() <= 253);
  for (const char c : *host)
    require((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' ||
            (c == ':' && is_ip_literal(*host)));
  if (is_ip_literal(*host)) require(address_in(*host, *host));
}

void check_path(std::string_view text) {
  const auto path = canonical_path(text);
  require(path.wire.starts_with('/'));
  for (std::size_t i = 0; i < path.wire.size(); ++i) {
    const auto c = static_cast<unsigned char>(path.wire[i]);
    require(c > 0x20 && c < 0x7f && c != '?' && c != '#' && c != '\\');
    if (c == '%')
      require(i + 2 < path.wire.size() && std::isxdigit(path.wire[i + 1]) != 0 && std::isxdigit(path.wire[i + 2]) != 0);
  }
  if (path.ambiguous) return;
  require(canonical_path(path.wire) == path);
  require(path.wire.find("//") == std::string::npos);
  require((path.wire + "/").find("/../") == std::string::npos && (path.wire + "/").find("/./") == std::string::npos);
  require(path.decoded.find_first_of(std::string_view("\0\\\r\n", 4)) == std::string::npos);
  require(path.encoded_slash == (path.wire.find("%2F") != std::string::npos));
  require(std::ranges::count(path.decoded, '/') == std::ranges::count(path.wire, '/'));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_host(text);
  check_path(text);
  check_path("/" + std::string(text));
  (void)is_special_purpose_address(text);
  return 0;
}
