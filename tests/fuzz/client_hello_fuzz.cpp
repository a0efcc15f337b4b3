// Any bytes as the beginning of a TLS connection. The first octet chooses how they are cut: what is said of a whole must not depend
// on how it came, an error once found must stay, and a name that is given must be canonical.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "policy/canonical.h"
#include "proxy/tls/client_hello.h"

namespace {

using namespace weir::proxy;

void require(bool holds) {
  if (!holds) std::abort();
}

std::string code_of(const weir::Result<std::optional<ClientHello>>& got) {
  if (!got) return got.error().code;
  return *got ? "whole" : "more";
}

// The message of `hello` in records of `piece` octets.
std::string cut_anew(std::string_view hello, std::size_t piece) {
  std::string message;
  for (std::size_t at = 0; at < hello.size();) {
    const std::size_t size = static_cast<std::size_t>(static_cast<unsigned char>(hello[at + 3])) << 8 | static_cast<unsigned char>(hello[at + 4]);
    message += hello.substr(at + 5, size);
    at += 5 + size;
  }
  std::string out;
  for (std::size_t at = 0; at < message.size(); at += piece) {
    const auto part = std::string_view(message).substr(at, piece);
    out += std::string("\x16\x03\x01", 3) + static_cast<char>(part.size() >> 8) + static_cast<char>(part.size() & 0xff);
    out += part;
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = 1 + data[0];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  (void)is_hello_retry_request(bytes);
  const auto all = read_client_hello(bytes);
  for (std::size_t given = 0;; given = std::min(bytes.size(), given + piece)) {
    const auto some = read_client_hello(bytes.substr(0, given));
    const std::string code = code_of(some);
    if (code != "more") {
      // Octets that come later may show another fault, or that there are too many; they never make good what was refused.
      require(code == "whole" ? all && *all && **all == **some : !all);
      break;
    }
    if (given == bytes.size()) break;
  }
  if (!all || !*all) return 0;
  const ClientHello& hello = **all;
  require(hello.size <= bytes.size() && hello.size <= kMaxClientHello);
  if (!hello.server_name.empty()) {
    const auto canonical = weir::policy::canonical_host(hello.server_name);
    require(canonical && *canonical == hello.server_name && !weir::policy::is_ip_literal(hello.server_name));
  }
  const std::string anew = cut_anew(bytes.substr(0, hello.size), piece * 64);
  if (anew.size() > kMaxClientHello) return 0;
  const auto again = read_client_hello(anew);
  require(again && *again && (*again)->server_name == hello.server_name && (*again)->alpn == hello.alpn && (*again)->encrypted == hello.encrypted);
  return 0;
}
