// A byte stream over a connected socket, plain or TLS. Non-blocking attempts plus waits; callers loop over both.
#pragma once

#include <openssl/ssl.h>
#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "proxy/io/descriptor.h"
#include "proxy/io/task.h"

namespace weir::proxy::io {

struct SslFree {
  void operator()(SSL* ssl) const {
    // A connection that is freed without a close_notify would make its session unfit for resumption (SSL_free(3)).
    SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(ssl);
  }
};
using SslHandle = std::unique_ptr<SSL, SslFree>;

enum class IoStatus : std::uint8_t { ok, again, want_write, end, broken };
struct IoResult {
  IoStatus status = IoStatus::ok;
  std::size_t size = 0;
};

enum class Outcome : std::uint8_t { ok, end, broken, timeout };

class Transport {
 public:
  Transport(Loop& loop, UniqueFd fd) : descriptor_(loop, std::move(fd)) {}

  // Puts TLS on top; `ssl` has its role and settings. Then `co_await handshake(...)`.
  void start_tls(SslHandle ssl);
  // ok, end or broken (see ssl_error()), timeout.
  Task<Outcome> handshake(Deadline deadline);

  // One attempt each; never blocks. `end` is an orderly end of the stream (TLS: close_notify; a TCP end without it is
  // `broken` for TLS, because a truncation could pass for an end otherwise; RFC 8446 §6.1).
  IoResult try_read(std::span<char> buffer);
  IoResult try_write(std::string_view bytes);

  // Reads at least one byte. Gives the number of bytes through `size`.
  Task<Outcome> read_some(std::span<char> buffer, Deadline deadline, std::size_t& size);
  // Writes all of `bytes`, which must stay valid until it returns.
  Task<Outcome> write_all(std::string_view bytes, Deadline deadline);

  // Sends close_notify where TLS is on (one attempt), then closes.
  void close();

  // Whether an attempt to read could give something: the kernel has reported bytes, or TLS holds some already (the first
  // request may come in one segment with the end of the handshake).
  bool may_have_input() const { return descriptor_.read_event() || (ssl_ != nullptr && SSL_has_pending(ssl_.get()) == 1); }

  Descriptor& descriptor() { return descriptor_; }
  SSL* ssl() { return ssl_.get(); }
  bool tls() const { return ssl_ != nullptr; }
  bool closed() const { return descriptor_.closed(); }
  // What OpenSSL said when a handshake or a read broke; for events, not for peers.
  const std::string& ssl_error() const { return ssl_error_; }
  unsigned long ssl_error_code() const { return ssl_error_code_; }
  std::uint64_t bytes_read() const { return bytes_read_; }        // on the wire
  std::uint64_t bytes_written() const { return bytes_written_; }  // on the wire

  // For the socket BIO.
  long receive(char* into, std::size_t size, bool& again);
  long send(const char* from, std::size_t size, bool& again);

 private:
  IoResult ssl_result(int got);
  Descriptor descriptor_;
  SslHandle ssl_;
  std::string ssl_error_;
  unsigned long ssl_error_code_ = 0;
  bool drained_ = false;  // the last receive got less than it asked for: the next would only say EAGAIN
  std::uint64_t bytes_read_ = 0;
  std::uint64_t bytes_written_ = 0;
};

}  // namespace weir::proxy::io
