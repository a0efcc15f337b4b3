#include "proxy/gate/downstream_tls.h"

#include "policy/canonical.h"

namespace weir::proxy {
namespace {

int select_alpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered, unsigned int offered_size, void*) {
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kHttp11, sizeof kHttp11 - 1, offered, offered_size) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_NOACK;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

Result<std::unique_ptr<DownstreamTls>> DownstreamTls::create(const CertificateAuthority& authority) {
  auto leaves = LeafCertificates::load(authority);
  if (!leaves) return std::unexpected(leaves.error());
  std::unique_ptr<DownstreamTls> tls(new DownstreamTls(std::move(*leaves)));
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  if (context == nullptr) return fail("tls_failed", "cannot make a TLS context");
  tls->context_ = context;
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  // No tickets and no session cache: agents' clients seldom resume, a ticket costs more than it saves here, and no session
  // can then carry one name's state to another.
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
  SSL_CTX_set_alpn_select_cb(context, select_alpn, nullptr);
  SSL_CTX_set_cert_cb(context, choose_certificate, tls.get());
  return tls;
}

DownstreamTls::~DownstreamTls() { SSL_CTX_free(context_); }

io::SslHandle DownstreamTls::accept_for(const std::string& host) {
  io::SslHandle ssl(SSL_new(context_));
  if (!ssl) throw std::bad_alloc();
  SSL_set_app_data(ssl.get(), const_cast<std::string*>(&host));
  SSL_set_accept_state(ssl.get());
  return ssl;
}

std::string DownstreamTls::server_name(SSL* ssl) {
  const char* sni = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (sni == nullptr) return {};
  return policy::canonical_host(sni).value_or(std::string(1, '?'));
}

int DownstreamTls::choose_certificate(SSL* ssl, void* self) {
  auto& tls = *static_cast<DownstreamTls*>(self);
  std::string name = server_name(ssl);
  if (name == "?") return 0;  // not a host name at all: the handshake fails with an alert
  if (name.empty()) name = *static_cast<const std::string*>(SSL_get_app_data(ssl));
  const auto leaf = tls.leaves_.leaf(name);
  if (!leaf) return 0;
  return SSL_use_certificate(ssl, *leaf) == 1 && SSL_use_PrivateKey(ssl, tls.leaves_.key()) == 1 ? 1 : 0;
}

}  // namespace weir::proxy
