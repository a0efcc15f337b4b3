#include "cli/demo/demo_api.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "proxy/tls/certificate_authority.h"

namespace weir::cli {
namespace {

// One connection, one request, blocking with a time limit: it is a demonstration's server.
void answer(SSL_CTX* context, int socket, const std::string& token) {
  const timeval limit{5, 0};
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, socket);
  std::string request;
  char piece[4096];
  int got = SSL_accept(ssl) == 1 ? 1 : 0;
  while (got > 0 && request.find("\r\n\r\n") == std::string::npos && request.size() < 65536) {
    got = SSL_read(ssl, piece, sizeof piece);
    if (got > 0) request.append(piece, static_cast<std::size_t>(got));
  }
  if (request.find("\r\n\r\n") != std::string::npos) {
    const bool known = request.find("Authorization: Bearer " + token + "\r\n") != std::string::npos;
    const std::string body = known ? "{\"things\": [\"lock\", \"sluice\", \"weir\"]}\n" : "{\"error\": \"no valid token\"}\n";
    const std::string response = std::string("HTTP/1.1 ") + (known ? "200 OK" : "401 Unauthorized") +
                                 "\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
                                 "\r\n\r\n" + body;
    SSL_write(ssl, response.data(), static_cast<int>(response.size()));
    SSL_shutdown(ssl);
  }
  SSL_free(ssl);
}

[[noreturn]] void serve(int listener, SSL_CTX* context, const std::string& token) {
  for (;;) {
    const UniqueFd socket(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    if (socket) answer(context, socket.get(), token);
  }
}

}  // namespace

Result<DemoApi> DemoApi::start(const std::string& host, const std::string& token) {
  auto authority = proxy::CertificateAuthority::create("demonstration");
  if (!authority) return std::unexpected(authority.error());
  auto leaves = proxy::LeafCertificates::load(*authority);
  if (!leaves) return std::unexpected(leaves.error());
  const auto leaf = leaves->leaf(host);
  if (!leaf) return std::unexpected(leaf.error());
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  if (context == nullptr || SSL_CTX_use_certificate(context, *leaf) != 1 || SSL_CTX_use_PrivateKey(context, leaves->key()) != 1)
    return fail("demo_failed", "cannot set up the demonstration's TLS server");

  const UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (!listener || bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 || listen(listener.get(), 16) != 0 ||
      getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return fail_errno("demo_failed", "cannot listen on loopback", errno);

  DemoApi api;
  api.port_ = ntohs(address.sin_port);
  api.ca_certificate_pem_ = authority->certificate_pem;
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return fail_errno("demo_failed", "cannot start the demonstration's server", errno);
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    (void)signal(SIGPIPE, SIG_IGN);
    serve(listener.get(), context, token);
  }
  SSL_CTX_free(context);
  api.pid_ = pid;
  return api;
}

DemoApi::DemoApi(DemoApi&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)), port_(other.port_), ca_certificate_pem_(std::move(other.ca_certificate_pem_)) {}

DemoApi::~DemoApi() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

}  // namespace weir::cli
