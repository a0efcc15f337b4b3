// The first message of a TLS connection, read without opening the connection: which server the client asks for (RFC 8446 §4.1.2,
// RFC 5246 §7.4.1.2, RFC 6066 §3). Sans-I/O. Strict on purpose: what two servers could read differently is an error, because the name in it
// decides where TLS that is carried unopened may go. SECURITY: G7.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weir::proxy {

struct ClientHello {
  std::string server_name;        // canonical; empty: none was sent
  std::vector<std::string> alpn;  // as sent, in order; empty: none
  // The client offers an encrypted ClientHello (extension encrypted_client_hello, or one of its drafts): the server may answer to
  // a name that is not in server_name. A real one and one that is sent as camouflage (GREASE) look alike, by design.
  bool encrypted = false;
  std::size_t size = 0;           // octets of the records that carried it
  bool operator==(const ClientHello&) const = default;
};

// As many octets as a ClientHello may take with its record headers. Those of today's browsers take 2 KiB at most.
inline constexpr std::size_t kMaxClientHello = 16 * 1024;

inline constexpr char kTlsHandshakeRecord = 0x16;  // ContentType handshake (RFC 8446 §5.1)

// `bytes`: all that came so far. Nothing: it is whole in what is still to come. Errors: "not_tls" (the octets cannot begin a TLS
// connection), "client_hello_invalid", "client_hello_too_large".
Result<std::optional<ClientHello>> read_client_hello(std::string_view bytes);

// Whether `bytes`, the server's first, are a HelloRetryRequest (RFC 8446 §4.1.3, §4.1.4): the client's next message is then a second
// ClientHello, in which it could name another server. Nothing: too few to tell.
std::optional<bool> is_hello_retry_request(std::string_view bytes);

}  // namespace weir::proxy
