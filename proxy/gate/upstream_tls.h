// TLS towards upstreams: always verified against the system's roots and the policy's, sessions resumed per host.
#pragma once

#include <openssl/ssl.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "proxy/io/transport.h"

namespace weir::proxy {

class UpstreamTls {
 public:
  // `roots`: a mapping of the system's PEM bundle, parsed when the first connection needs it (140 certificates take
  // some 20 ms, which a sandbox that never connects need not pay). `extra_pem`: the policy's ca_file, parsed now.
  static Result<std::unique_ptr<UpstreamTls>> create(std::string_view roots, std::string_view extra_pem);
  UpstreamTls(const UpstreamTls&) = delete;
  UpstreamTls& operator=(const UpstreamTls&) = delete;
  ~UpstreamTls();

  // A client handle that verifies the certificate for `host` (a canonical name or an IP literal) and resumes the last
  // session with this host and port. SECURITY: verification cannot be switched off.
  io::SslHandle connect_to(const std::string& host, std::uint16_t port);

 private:
  struct Destination {
    UpstreamTls* owner;
    std::string key;
  };
  explicit UpstreamTls(std::string_view roots) : roots_(roots) {}
  void load_roots();
  static int on_new_session(SSL* ssl, SSL_SESSION* session);

  SSL_CTX* context_ = nullptr;
  std::string_view roots_;
  bool roots_loaded_ = false;
  std::map<std::string, SSL_SESSION*> sessions_;
  static constexpr std::size_t kMaxSessions = 256;
};

// For TLS client authentication: a certificate, those above it, and its key, in PEM form. "credential_unusable".
Result<void> use_client_certificate(SSL* ssl, std::string_view pem);

}  // namespace weir::proxy
