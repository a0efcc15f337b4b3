// An HTTPS (or HTTP) server on this machine that answers each request with the next of its script; the last one again and again.
#pragma once

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.h"

namespace weir::vault::test {

class ScriptedServer {
 public:
  struct Step {
    int status;  // 0: closes without an answer
    std::string body, headers = {};
  };
  explicit ScriptedServer(std::vector<Step> steps, bool tls = true)
      : steps_(std::move(steps)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (tls) make_context();
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_.get(), 16);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;
  ~ScriptedServer() {
    close();
    SSL_CTX_free(context_);
  }
  void close() {
    if (!thread_.joinable()) return;
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
    listener_.reset();
  }

  std::string address(const std::string& path = "") const {
    return (context_ != nullptr ? "https" : "http") + std::string("://127.0.0.1:") + std::to_string(port_) + path;
  }
  const std::string& ca_pem() const { return ca_pem_; }
  std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  std::string body(std::size_t of) {
    const auto all = requests();
    return of < all.size() ? all[of].substr(all[of].find("\r\n\r\n") + 4) : "(no such request)";
  }
  std::string field(std::size_t of, const std::string& name) {
    const auto all = requests();
    if (of >= all.size()) return "(no such request)";
    const auto at = all[of].find("\r\n" + name + ": ");
    if (at == std::string::npos || at > all[of].find("\r\n\r\n")) return "";
    const auto from = at + name.size() + 4;
    return all[of].substr(from, all[of].find("\r\n", from) - from);
  }

 private:
  void make_context() {
    EVP_PKEY* const key = EVP_EC_gen("P-256");
    X509* const certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1,
                               -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    X509_set_pubkey(certificate, key);
    X509_EXTENSION* const names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(certificate, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(certificate, key, EVP_sha256());
    BIO* const pem = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(pem, certificate);
    char* text = nullptr;
    const long size = BIO_get_mem_data(pem, &text);
    ca_pem_.assign(text, static_cast<std::size_t>(size));
    BIO_free(pem);
    context_ = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(context_, certificate);
    SSL_CTX_use_PrivateKey(context_, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  void serve() {
    for (std::size_t at = 0;;) {
      const UniqueFd peer(::accept(listener_.get(), nullptr, nullptr));
      if (!peer) return;
      SSL* const tls = context_ == nullptr ? nullptr : SSL_new(context_);
      if (tls != nullptr) {
        SSL_set_fd(tls, peer.get());
        if (SSL_accept(tls) != 1) {
          SSL_free(tls);
          continue;  // a handshake that was refused counts for nothing
        }
      }
      std::string request;
      char block[4096];
      std::size_t head = std::string::npos, length = 0;
      while (head == std::string::npos || request.size() < head + 4 + length) {
        const auto got = tls != nullptr ? SSL_read(tls, block, sizeof block) : static_cast<int>(::read(peer.get(), block, sizeof block));
        if (got <= 0) break;
        request.append(block, static_cast<std::size_t>(got));
        head = request.find("\r\n\r\n");
        if (const auto field = request.find("Content-Length: "); field != std::string::npos && field < head)
          length = std::stoul(request.substr(field + 16));
      }
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      const Step& step = steps_[at];
      at += at + 1 < steps_.size() ? 1 : 0;
      const std::string answer = "HTTP/1.1 " + std::to_string(step.status) + " X\r\nContent-Length: " + std::to_string(step.body.size()) +
                                 "\r\nConnection: close\r\n" + step.headers + "\r\n" + step.body;
      if (step.status != 0 && tls != nullptr) SSL_write(tls, answer.data(), static_cast<int>(answer.size()));
      if (step.status != 0 && tls == nullptr) (void)!::write(peer.get(), answer.data(), answer.size());
      if (tls != nullptr) SSL_shutdown(tls);
      SSL_free(tls);
    }
  }
  std::vector<Step> steps_;
  UniqueFd listener_;
  SSL_CTX* context_ = nullptr;
  std::string ca_pem_;
  int port_ = 0;
  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

}  // namespace weir::vault::test
