// TLS towards the sandbox: weir is the server for every name, with leaves from the sandbox's CA.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "base/error.h"
#include "proxy/io/transport.h"
#include "proxy/tls/certificate_authority.h"

namespace weir::proxy {

class DownstreamTls {
 public:
  static Result<std::unique_ptr<DownstreamTls>> create(const CertificateAuthority& authority);
  DownstreamTls(const DownstreamTls&) = delete;
  DownstreamTls& operator=(const DownstreamTls&) = delete;
  ~DownstreamTls();

  // A server handle whose leaf is for the client's SNI, or for `host` when it sends none. A client that asks for another
  // name than it dialled gets a leaf for what it asked, so that it can read the refusal that follows.
  // `host` must outlive the handshake.
  io::SslHandle accept_for(const std::string& host);

  // The SNI in canonical form after the handshake; empty when none was sent.
  static std::string server_name(SSL* ssl);

 private:
  explicit DownstreamTls(LeafCertificates leaves) : leaves_(std::move(leaves)) {}
  static int choose_certificate(SSL* ssl, void* self);
  LeafCertificates leaves_;
  SSL_CTX* context_ = nullptr;
};

}  // namespace weir::proxy
