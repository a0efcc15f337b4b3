#include "proxy/gate/upstream_tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "policy/canonical.h"
#include "proxy/tls/openssl_ptr.h"

namespace weir::proxy {
namespace {

// The handle's host and port, for the session callback. Freed with the handle.
int destination_index() {
  static const int kIndex = SSL_get_ex_new_index(
      0, nullptr, nullptr, nullptr,
      [](void*, void* pointer, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<std::string*>(pointer); });
  return kIndex;
}

std::size_t add_certificates(X509_STORE* store, std::string_view pem) {
  std::size_t added = 0;
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  for (;;) {
    X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    if (certificate == nullptr) break;
    if (X509_STORE_add_cert(store, certificate) == 1) ++added;
    X509_free(certificate);
  }
  ERR_clear_error();  // the end of the bundle is reported as an error
  BIO_free(bio);
  return added;
}

}  // namespace

Result<std::unique_ptr<UpstreamTls>> UpstreamTls::create(std::string_view roots, std::string_view extra_pem) {
  std::unique_ptr<UpstreamTls> tls(new UpstreamTls(roots));
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  if (context == nullptr) return fail("tls_failed", "cannot make a TLS context");
  tls->context_ = context;
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);
  // The order that browsers offer: an unusual ClientHello makes some CDNs hang up.
  SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
  static constexpr unsigned char kAlpn[] = "\x08http/1.1";
  SSL_CTX_set_alpn_protos(context, kAlpn, sizeof kAlpn - 1);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, on_new_session);
  SSL_CTX_set_app_data(context, tls.get());
  if (!extra_pem.empty() && add_certificates(SSL_CTX_get_cert_store(context), extra_pem) == 0)
    return fail("ca_file_invalid", "upstream.ca_file holds no certificate in PEM form");
  return tls;
}

Result<void> use_client_certificate(SSL* ssl, std::string_view pem) {
  const auto refuse = [](const char* why) {
    ERR_clear_error();
    return fail("credential_unusable", std::string("the client certificate cannot be used: ") + why);
  };
  const auto reader = [&] { return BioPtr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))); };
  const auto certificates = reader();
  const X509Ptr leaf(PEM_read_bio_X509(certificates.get(), nullptr, nullptr, nullptr));
  if (!leaf || SSL_use_certificate(ssl, leaf.get()) != 1) return refuse("there is no certificate in it");
  while (X509* above = PEM_read_bio_X509(certificates.get(), nullptr, nullptr, nullptr))
    if (SSL_add0_chain_cert(ssl, above) != 1) X509_free(above);
  const auto keys = reader();
  // Without a passphrase: nobody is there to give one.
  const EvpKeyPtr key(PEM_read_bio_PrivateKey(keys.get(), nullptr, [](char*, int, int, void*) { return -1; }, nullptr));
  if (!key || SSL_use_PrivateKey(ssl, key.get()) != 1) return refuse("there is no private key of that certificate in it");
  ERR_clear_error();
  return {};
}

UpstreamTls::~UpstreamTls() {
  for (auto& [key, session] : sessions_) SSL_SESSION_free(session);
  SSL_CTX_free(context_);
}

void UpstreamTls::load_roots() {
  if (roots_loaded_) return;
  roots_loaded_ = true;
  add_certificates(SSL_CTX_get_cert_store(context_), roots_);
}

io::SslHandle UpstreamTls::connect_to(const std::string& host, std::uint16_t port) {
  load_roots();
  io::SslHandle ssl(SSL_new(context_));
  if (!ssl) throw std::bad_alloc();
  if (policy::is_ip_literal(host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), host.c_str());
  } else {
    SSL_set_tlsext_host_name(ssl.get(), host.c_str());
    SSL_set_hostflags(ssl.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    SSL_set1_host(ssl.get(), host.c_str());
  }
  auto key = std::make_unique<std::string>(host + ":" + std::to_string(port));
  if (const auto found = sessions_.find(*key); found != sessions_.end()) SSL_set_session(ssl.get(), found->second);
  SSL_set_ex_data(ssl.get(), destination_index(), key.release());
  SSL_set_connect_state(ssl.get());
  return ssl;
}

int UpstreamTls::on_new_session(SSL* ssl, SSL_SESSION* session) {
  auto& tls = *static_cast<UpstreamTls*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  const auto* key = static_cast<const std::string*>(SSL_get_ex_data(ssl, destination_index()));
  if (key == nullptr) return 0;
  if (const auto found = tls.sessions_.find(*key); found != tls.sessions_.end()) {
    SSL_SESSION_free(found->second);
    found->second = session;
    return 1;  // the reference is ours now (SSL_CTX_sess_set_new_cb(3))
  }
  if (tls.sessions_.size() >= kMaxSessions) return 0;
  tls.sessions_.emplace(*key, session);
  return 1;
}

}  // namespace weir::proxy
