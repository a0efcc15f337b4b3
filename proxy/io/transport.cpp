#include "proxy/io/transport.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <cerrno>
#include <stdexcept>

namespace weir::proxy::io {
namespace {

// A BIO over Transport::receive and send, so that reads which would only say EAGAIN are not made (one system call less
// for each request on each side), and bytes are counted.
int bio_read(BIO* bio, char* into, int size) {
  BIO_clear_retry_flags(bio);
  if (size <= 0) return 0;
  bool again = false;
  const long got = static_cast<Transport*>(BIO_get_data(bio))->receive(into, static_cast<std::size_t>(size), again);
  if (again) BIO_set_retry_read(bio);
  return static_cast<int>(got);
}

int bio_write(BIO* bio, const char* from, int size) {
  BIO_clear_retry_flags(bio);
  if (size <= 0) return 0;
  bool again = false;
  const long sent = static_cast<Transport*>(BIO_get_data(bio))->send(from, static_cast<std::size_t>(size), again);
  if (again) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

long bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

BIO_METHOD* socket_method() {
  static BIO_METHOD* const kMethod = [] {
    BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "weir socket");
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_ctrl(method, bio_control);
    BIO_meth_set_create(method, [](BIO* bio) {
      BIO_set_init(bio, 1);
      return 1;
    });
    return method;
  }();
  return kMethod;
}

}  // namespace

long Transport::receive(char* into, std::size_t size, bool& again) {
  if (descriptor_.read_event()) {
    descriptor_.clear_read_event();
    drained_ = false;
  }
  if (drained_) {
    again = true;
    return -1;
  }
  for (;;) {
    const ssize_t got = recv(descriptor_.fd(), into, size, 0);
    if (got >= 0) {
      bytes_read_ += static_cast<std::uint64_t>(got);
      drained_ = got > 0 && static_cast<std::size_t>(got) < size;
      return got;
    }
    if (errno == EINTR) continue;
    again = errno == EAGAIN;
    drained_ = again;
    return -1;
  }
}

long Transport::send(const char* from, std::size_t size, bool& again) {
  for (;;) {
    const ssize_t sent = ::send(descriptor_.fd(), from, size, MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes_written_ += static_cast<std::uint64_t>(sent);
      return sent;
    }
    if (errno == EINTR) continue;
    again = errno == EAGAIN;
    return -1;
  }
}

void Transport::start_tls(SslHandle ssl) {
  BIO* bio = BIO_new(socket_method());
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, this);
  SSL_set_bio(ssl.get(), bio, bio);
  ssl_ = std::move(ssl);
}

IoResult Transport::ssl_result(int got) {
  switch (SSL_get_error(ssl_.get(), got)) {
    case SSL_ERROR_WANT_READ: return {IoStatus::again};
    case SSL_ERROR_WANT_WRITE: return {IoStatus::want_write};
    case SSL_ERROR_ZERO_RETURN: return {IoStatus::end};
    default: break;
  }
  ssl_error_code_ = ERR_peek_error();
  const char* reason = ssl_error_code_ != 0 ? ERR_reason_error_string(ssl_error_code_) : nullptr;
  ssl_error_ = reason != nullptr ? reason : "the connection broke";
  ERR_clear_error();
  return {IoStatus::broken};
}

IoResult Transport::try_read(std::span<char> buffer) {
  if (descriptor_.closed()) return {IoStatus::broken};
  if (ssl_ == nullptr) {
    bool again = false;
    const long got = receive(buffer.data(), buffer.size(), again);
    if (got > 0) return {IoStatus::ok, static_cast<std::size_t>(got)};
    if (got == 0) return {IoStatus::end};
    return {again ? IoStatus::again : IoStatus::broken};
  }
  std::size_t size = 0;
  const int got = SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &size);
  if (got == 1) return {IoStatus::ok, size};
  return ssl_result(got);
}

IoResult Transport::try_write(std::string_view bytes) {
  if (descriptor_.closed()) return {IoStatus::broken};
  if (ssl_ == nullptr) {
    bool again = false;
    const long sent = send(bytes.data(), bytes.size(), again);
    if (sent >= 0) return {IoStatus::ok, static_cast<std::size_t>(sent)};
    return {again ? IoStatus::want_write : IoStatus::broken};
  }
  std::size_t size = 0;
  const int wrote = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &size);
  if (wrote == 1) return {IoStatus::ok, size};
  return ssl_result(wrote);
}

Task<Outcome> Transport::handshake(Deadline deadline) {
  for (;;) {
    if (descriptor_.closed()) co_return Outcome::broken;
    const int done = SSL_do_handshake(ssl_.get());
    if (done == 1) co_return Outcome::ok;
    const IoResult result = ssl_result(done);
    Wake wake = Wake::closed;
    if (result.status == IoStatus::again) {
      wake = co_await descriptor_.readable(deadline);
    } else if (result.status == IoStatus::want_write) {
      wake = co_await descriptor_.writable(deadline);
    } else {
      co_return result.status == IoStatus::end ? Outcome::end : Outcome::broken;
    }
    if (wake == Wake::timeout) co_return Outcome::timeout;
    if (wake == Wake::closed) co_return Outcome::broken;
  }
}

Task<Outcome> Transport::read_some(std::span<char> buffer, Deadline deadline, std::size_t& size) {
  for (;;) {
    const IoResult result = try_read(buffer);
    Wake wake = Wake::closed;
    switch (result.status) {
      case IoStatus::ok: size = result.size; co_return Outcome::ok;
      case IoStatus::end: co_return Outcome::end;
      case IoStatus::broken: co_return Outcome::broken;
      case IoStatus::again: wake = co_await descriptor_.readable(deadline); break;
      case IoStatus::want_write: wake = co_await descriptor_.writable(deadline); break;
    }
    if (wake == Wake::timeout) co_return Outcome::timeout;
    if (wake == Wake::closed) co_return Outcome::broken;
  }
}

Task<Outcome> Transport::write_all(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    const IoResult result = try_write(bytes);
    Wake wake = Wake::closed;
    switch (result.status) {
      case IoStatus::ok: bytes.remove_prefix(result.size); continue;
      case IoStatus::end:
      case IoStatus::broken: co_return Outcome::broken;
      case IoStatus::again: wake = co_await descriptor_.readable(deadline); break;
      case IoStatus::want_write: wake = co_await descriptor_.writable(deadline); break;
    }
    if (wake == Wake::timeout) co_return Outcome::timeout;
    if (wake == Wake::closed) co_return Outcome::broken;
  }
  co_return Outcome::ok;
}

void Transport::close() {
  if (descriptor_.closed()) return;
  if (ssl_ != nullptr && SSL_is_init_finished(ssl_.get()) == 1) {
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }
  descriptor_.close();
}

}  // namespace weir::proxy::io
