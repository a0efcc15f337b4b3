// The client of bench/compare: HTTP/1.1 over TLS 1.3 on one thread, driven by lines on standard input, one JSON answer
// per line. It is told what to do piece by piece so that whoever measures can read the proxy's CPU time right before
// and right after a piece, also when this program sits inside a sandbox.
//
//   open COUNT PATH           opens COUNT connections one after the other, one request on each, and keeps them
//   run SECONDS PATH          requests on all open connections, each as soon as the one before is answered
//   connect WIDTH SECONDS PATH   WIDTH at a time: new connection, full handshake, one request, close
//   probe PATH                one connection, one request; the answer carries the body
//   close                     closes the open connections
//
// Certificates are verified (SSL_CERT_FILE or the system's roots). Every answer must be a 200 with a Content-Length;
// anything else makes the whole piece an error, because a run with errors is not a figure.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sched.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

struct Target {
  std::string host;  // where the TCP connection goes
  std::string port;
  std::string name;    // SNI, Host and the name the certificate must carry
  std::string tunnel;  // HOST:PORT for a CONNECT before TLS; empty for none
  std::string header;  // one more header line, or empty
};

[[noreturn]] void problem(const std::string& what) { throw std::runtime_error(what); }

std::string tls_problem(const std::string& what, const SSL* ssl) {
  const long verdict = ssl ? SSL_get_verify_result(ssl) : X509_V_OK;
  if (verdict != X509_V_OK) return what + ": " + X509_verify_cert_error_string(verdict);
  const unsigned long code = ERR_get_error();
  return what + ": " + (code ? ERR_reason_error_string(code) : errno ? std::strerror(errno) : "connection closed");
}

struct Tally {
  std::uint64_t requests = 0;
  std::uint64_t bytes = 0;
  std::vector<std::uint32_t> latencies_ns;
};

// One connection. Non-blocking; advance() goes as far as the socket allows and says whether an answer is complete.
class Client {
 public:
  Client(SSL_CTX* context, const Target& target, const addrinfo& address, int poll)
      : target_(target), fd_(socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    if (fd_ < 0) problem(std::string("socket: ") + std::strerror(errno));
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd_, address.ai_addr, address.ai_addrlen) != 0 && errno != EINPROGRESS)
      problem(std::string("connect: ") + std::strerror(errno));
    ssl_ = SSL_new(context);
    SSL_set_fd(ssl_, fd_);
    SSL_set_tlsext_host_name(ssl_, target.name.c_str());
    SSL_set1_host(ssl_, target.name.c_str());
    SSL_set_connect_state(ssl_);
    epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.ptr = this}};
    epoll_ctl(poll, EPOLL_CTL_ADD, fd_, &event);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() {
    SSL_shutdown(ssl_);  // close_notify, so that the proxy sees an ordinary end
    SSL_free(ssl_);
    close(fd_);
  }

  void request(const std::string& path) {
    request_ = "GET " + path + " HTTP/1.1\r\nHost: " + host() + "\r\nUser-Agent: bench\r\nAccept: */*\r\n" +
               (target_.header.empty() ? "" : target_.header + "\r\n") + "\r\n";
    head_.clear();
    left_ = 0;
    in_body_ = false;
    sent_ = false;
    began_ = Clock::now();
  }

  // True when the answer to the request is complete. `keep_body` for probe only.
  bool advance(Tally& tally, std::string* keep_body = nullptr) {
    if (!tunnelled_ && !open_tunnel()) return false;
    ERR_clear_error();
    errno = 0;
    if (!shaken_) {
      const int done = SSL_do_handshake(ssl_);
      if (done != 1) return wait_for(done, "TLS handshake");
      shaken_ = true;
    }
    if (!sent_) {
      const int wrote = SSL_write(ssl_, request_.data(), static_cast<int>(request_.size()));
      if (wrote <= 0) return wait_for(wrote, "write");
      sent_ = true;
    }
    return read_answer(tally, keep_body);
  }

  // With a tunnel the port belongs to the authority: a proxy that reads the Host header goes on to that.
  const std::string& host() const { return target_.tunnel.empty() ? target_.name : target_.tunnel; }

  std::string tls() const { return std::string(SSL_get_version(ssl_)) + " " + SSL_get_cipher_name(ssl_); }

 private:
  bool read_answer(Tally& tally, std::string* keep_body) {
    static std::array<char, 256 * 1024> buffer;
    for (;;) {
      const int got = SSL_read(ssl_, buffer.data(), static_cast<int>(buffer.size()));
      if (got <= 0) return wait_for(got, "read");
      std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
      if (!in_body_) {
        head_.append(bytes);
        const auto end = head_.find("\r\n\r\n");
        if (end == std::string::npos) continue;
        read_head(std::string_view(head_).substr(0, end + 2));
        bytes.remove_prefix(bytes.size() - (head_.size() - end - 4));
        in_body_ = true;
      }
      if (bytes.size() > left_) problem("more bytes than Content-Length said");
      left_ -= bytes.size();
      tally.bytes += bytes.size();
      if (keep_body) keep_body->append(bytes);
      if (left_ > 0) continue;
      const auto took = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - began_).count();
      tally.latencies_ns.push_back(static_cast<std::uint32_t>(std::min<long long>(took, UINT32_MAX)));
      ++tally.requests;
      return true;
    }
  }

  void read_head(std::string_view head) {
    if (!head.starts_with("HTTP/1.1 200")) problem("answer is not 200: " + std::string(head.substr(0, head.find("\r\n"))));
    bool length_known = false;
    for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
      const auto end = head.find("\r\n", at);
      const std::string_view line = head.substr(at, end - at);
      constexpr std::string_view kName = "content-length:";
      if (line.size() > kName.size() && strncasecmp(line.data(), kName.data(), kName.size()) == 0) {
        std::string_view value = line.substr(kName.size());
        value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
        length_known = std::from_chars(value.data(), value.data() + value.size(), left_).ec == std::errc();
      }
      at = end + 2;
    }
    if (!length_known) problem("answer has no Content-Length");
  }

  // CONNECT for a proxy that is spoken to explicitly; its answer is a head without body.
  bool open_tunnel() {
    if (target_.tunnel.empty()) return tunnelled_ = true;
    if (!asked_) {
      const std::string ask = "CONNECT " + target_.tunnel + " HTTP/1.1\r\nHost: " + target_.tunnel + "\r\n\r\n";
      const auto wrote = send(fd_, ask.data(), ask.size(), MSG_NOSIGNAL);
      if (wrote < 0 && (errno == EAGAIN || errno == ENOTCONN)) return false;
      if (wrote != static_cast<ssize_t>(ask.size())) problem(std::string("CONNECT: ") + std::strerror(errno));
      asked_ = true;
    }
    std::array<char, 1024> buffer;
    const auto got = recv(fd_, buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EAGAIN) return false;
    if (got <= 0) problem("CONNECT: connection closed");
    tunnel_answer_.append(buffer.data(), static_cast<std::size_t>(got));
    if (!tunnel_answer_.ends_with("\r\n\r\n")) return open_tunnel();
    if (tunnel_answer_.find(" 200") == std::string::npos) problem("CONNECT refused: " + tunnel_answer_);
    return tunnelled_ = true;
  }

  bool wait_for(int result, const char* what) const {
    const int error = SSL_get_error(ssl_, result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return false;
    int pending = 0;
    socklen_t size = sizeof pending;
    if (getsockopt(fd_, SOL_SOCKET, SO_ERROR, &pending, &size) == 0 && pending != 0) errno = pending;
    if (errno == ENOTCONN) return false;  // the TCP connection is still on its way
    problem(tls_problem(what, ssl_));
  }

  const Target& target_;
  int fd_;
  SSL* ssl_ = nullptr;
  std::string tunnel_answer_;
  bool asked_ = false;
  bool tunnelled_ = false;
  bool shaken_ = false;
  bool sent_ = false;
  bool in_body_ = false;
  std::string request_;
  std::string head_;
  std::uint64_t left_ = 0;
  Clock::time_point began_;
};

class Load {
 public:
  explicit Load(Target target) : target_(std::move(target)), poll_(epoll_create1(EPOLL_CLOEXEC)) {
    context_ = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(context_, TLS1_3_VERSION);
    SSL_CTX_set_ciphersuites(context_, "TLS_AES_128_GCM_SHA256");  // the upstream's too: one cipher everywhere
    SSL_CTX_set_default_verify_paths(context_);
    SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
    // No resumption: each new connection is to cost its full handshake.
    SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context_, SSL_MODE_AUTO_RETRY | SSL_MODE_ENABLE_PARTIAL_WRITE);
    const unsigned char alpn[] = "\x08http/1.1";
    SSL_CTX_set_alpn_protos(context_, alpn, sizeof alpn - 1);
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;
  ~Load() {
    clients_.clear();
    SSL_CTX_free(context_);
    freeaddrinfo(address_);
    close(poll_);
  }

  std::string command(const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    words >> verb;
    if (verb == "open") {
      std::size_t count = 0;
      std::string path;
      words >> count >> path;
      return open(count, path);
    }
    if (verb == "run") {
      double seconds = 0;
      std::string path;
      words >> seconds >> path;
      return run(seconds, path);
    }
    if (verb == "connect") {
      std::size_t width = 0;
      double seconds = 0;
      std::string path;
      words >> width >> seconds >> path;
      return connect_anew(width, seconds, path);
    }
    if (verb == "probe") {
      std::string path;
      words >> path;
      return probe(path);
    }
    if (verb == "close") {
      clients_.clear();
      return "{}";
    }
    problem("unknown command: " + line);
  }

 private:
  std::unique_ptr<Client> dial() {
    if (!address_) {  // looked up once: the name's lookup is not what is measured
      addrinfo hints{};
      hints.ai_family = AF_INET;
      hints.ai_socktype = SOCK_STREAM;
      if (const int error = getaddrinfo(target_.host.c_str(), target_.port.c_str(), &hints, &address_); error != 0)
        problem(target_.host + ": " + gai_strerror(error));
    }
    return std::make_unique<Client>(context_, target_, *address_, poll_);
  }

  // Calls each(client) for every client with news, until `done` says so.
  template <typename Done, typename Each>
  void drive(Done done, Each each) {
    std::array<epoll_event, 256> events;
    while (!done()) {
      const int count = epoll_wait(poll_, events.data(), events.size(), 10'000);
      if (count == 0) problem("nothing came for ten seconds");
      for (int i = 0; i < count; ++i) each(*static_cast<Client*>(events[static_cast<std::size_t>(i)].data.ptr));
    }
  }

  std::string open(std::size_t count, const std::string& path) {
    Tally tally;
    for (std::size_t i = 0; i < count; ++i) {
      clients_.push_back(dial());
      Client* newest = clients_.back().get();
      newest->request(path);
      bool answered = false;
      drive([&] { return answered; },
            [&](Client& client) {
              if (&client == newest) answered = client.advance(tally) || answered;
            });
    }
    return answer(tally, Clock::duration::zero(), clients_.back()->tls());
  }

  std::string run(double seconds, const std::string& path) {
    if (clients_.empty()) problem("run: no connection is open");
    Tally tally;
    tally.latencies_ns.reserve(1 << 20);
    const auto began = Clock::now();
    const auto until = began + Seconds(seconds);
    std::size_t busy = clients_.size();
    const auto step = [&](Client& client) {
      // At the deadline the requests under way are still finished, so that every byte is counted.
      while (client.advance(tally)) {
        if (Clock::now() >= until) {
          --busy;
          return;
        }
        client.request(path);
      }
    };
    for (const auto& client : clients_) {
      client->request(path);
      step(*client);
    }
    drive([&] { return busy == 0; }, step);
    return answer(tally, Clock::now() - began, clients_.back()->tls());
  }

  std::string connect_anew(std::size_t width, double seconds, const std::string& path) {
    Tally tally;
    const auto began = Clock::now();
    const auto until = began + Seconds(seconds);
    std::vector<std::unique_ptr<Client>> current;
    std::string tls;
    for (std::size_t i = 0; i < width; ++i) {
      current.push_back(dial());
      current.back()->request(path);
    }
    drive([&] { return current.empty(); },
          [&](Client& client) {
            if (!client.advance(tally)) return;
            if (tls.empty()) tls = client.tls();
            const auto place =
                std::find_if(current.begin(), current.end(), [&](const auto& c) { return c.get() == &client; });
            place->reset();
            if (Clock::now() >= until) {
              current.erase(place);
              return;
            }
            *place = dial();
            (*place)->request(path);
          });
    return answer(tally, Clock::now() - began, tls);
  }

  std::string probe(const std::string& path) {
    Tally tally;
    std::string body;
    const auto began = Clock::now();
    const auto client = dial();
    client->request(path);
    bool answered = false;
    drive([&] { return answered; },
          [&](Client& woken) { answered = (&woken == client.get() && woken.advance(tally, &body)) || answered; });
    const auto now = Clock::now();
    std::erase_if(body, [](char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < ' '; });
    return "{\"body\":\"" + body + "\",\"tls\":\"" + client->tls() +
           "\",\"seconds\":" + std::to_string(Seconds(now - began).count()) +
           ",\"monotonic\":" + std::to_string(Seconds(now.time_since_epoch()).count()) + "}";
  }

  static std::string answer(Tally& tally, Clock::duration took, const std::string& tls) {
    auto& all = tally.latencies_ns;
    std::sort(all.begin(), all.end());
    const auto at = [&](double share) {
      if (all.empty()) return 0.0;
      return all[std::min(all.size() - 1, static_cast<std::size_t>(share * static_cast<double>(all.size())))] / 1000.0;
    };
    std::ostringstream out;
    out << "{\"requests\":" << tally.requests << ",\"bytes\":" << tally.bytes << ",\"seconds\":" << Seconds(took).count()
        << ",\"p50_us\":" << at(0.5) << ",\"p99_us\":" << at(0.99) << ",\"tls\":\"" << tls << "\"}";
    return out.str();
  }

  Target target_;
  int poll_;
  SSL_CTX* context_ = nullptr;
  addrinfo* address_ = nullptr;
  std::vector<std::unique_ptr<Client>> clients_;
};

void pin_to(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) problem(std::string("pinning to a core: ") + std::strerror(errno));
}

}  // namespace

int main(int argc, char** argv) try {
  Target target;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view option = argv[i];
    const std::string value = argv[i + 1];
    if (option == "--connect") {
      const auto colon = value.rfind(':');
      if (colon == std::string::npos) problem("--connect takes HOST:PORT");
      target.host = value.substr(0, colon);
      target.port = value.substr(colon + 1);
    } else if (option == "--name") {
      target.name = value;
    } else if (option == "--tunnel") {
      target.tunnel = value;
    } else if (option == "--header") {
      target.header = value;
    } else if (option == "--cpu") {
      pin_to(std::stoi(value));
    } else {
      problem("unknown option: " + std::string(option));
    }
  }
  if (target.host.empty() || target.name.empty())
    problem("usage: load --connect HOST:PORT --name NAME [--tunnel HOST:PORT] [--header LINE] [--cpu N]");
  std::signal(SIGPIPE, SIG_IGN);

  Load load(std::move(target));
  for (std::string line; std::getline(std::cin, line);) {
    std::string reply;
    try {
      reply = load.command(line);
    } catch (const std::exception& error) {
      reply = error.what();
      std::erase_if(reply, [](char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < ' '; });
      reply = "{\"error\":\"" + reply + "\"}";
    }
    std::cout << reply << std::endl;
  }
  return 0;
} catch (const std::exception& error) {
  std::cerr << "load: " << error.what() << "\n";
  return 2;
}
