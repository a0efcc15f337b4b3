#include "keeper/control_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"
#include "proxy/http1/decoder.h"
#include "proxy/http1/encoder.h"

namespace weir::keeper {
namespace {

using nlohmann::ordered_json;

std::string_view reason_of(int status) {
  switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 431: return "Request Header Fields Too Large";
    case 501: return "Not Implemented";
    default: return status < 500 ? "Error" : "Internal Server Error";
  }
}

std::string encode(const ControlReply& reply, bool keep_alive) {
  const std::string body = reply.body.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
  std::string out;
  proxy::append_status_line(out, reply.status, reason_of(reply.status));
  proxy::append_header(out, "Content-Type", "application/json");
  proxy::append_header(out, "Cache-Control", "no-store");
  if (!keep_alive) proxy::append_header(out, "Connection", "close");
  proxy::append_body_length(out, {proxy::BodyLength::Kind::fixed, body.size()});
  proxy::append_end_of_head(out);
  return out + body;
}

}  // namespace

ControlReply control_error(int status, const std::string& code, const std::string& message) {
  return {status, {{"error", {{"code", code}, {"message", message}}}}};
}

// One client: reads a request, has it handled, writes the answer, and so on. Every step is one turn of the loop at most.
class ControlServer::Connection {
 public:
  Connection(ControlServer& server, UniqueFd socket, Peer peer) : server_(server), socket_(std::move(socket)), peer_(std::move(peer)) {
    uv_poll_init(server_.loop_, &poll_, socket_.get());
    uv_timer_init(server_.loop_, &timer_);
    poll_.data = timer_.data = this;
    wait_for(UV_READABLE);
  }
  ~Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void close() {
    if (closing_) return;
    closing_ = true;
    uv_close(reinterpret_cast<uv_handle_t*>(&poll_), on_closed);
    uv_close(reinterpret_cast<uv_handle_t*>(&timer_), on_closed);
  }

  bool is_open() const { return !closing_; }

 private:
  static void on_closed(uv_handle_t* handle) {
    auto& self = *static_cast<Connection*>(handle->data);
    if (++self.closed_ == 2) self.server_.remove(&self);
  }

  // The deadline is for the whole of what is waited for: bytes that drip in do not move it.
  void wait_for(int events) {
    uv_timer_start(
        &timer_, [](uv_timer_t* timer) { static_cast<Connection*>(timer->data)->close(); }, server_.deadline_ms_, 0);
    uv_poll_start(&poll_, events, [](uv_poll_t* poll, int status, int happened) {
      auto& self = *static_cast<Connection*>(poll->data);
      if (status < 0) return self.close();
      if ((happened & UV_WRITABLE) != 0) return self.on_writable();
      self.on_readable();
    });
  }

  void on_readable() {
    char bytes[8192];
    const ssize_t got = ::recv(socket_.get(), bytes, sizeof bytes, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return close();
    incoming_.append(bytes, static_cast<std::size_t>(got));
    take_request();
  }

  void take_request() {
    if (!head_size_) {
      const auto size = proxy::find_head(incoming_, limits(), scanned_);
      if (!size) return refuse(size.error().code == "head_too_large" ? 431 : 400, size.error());
      if (*size == 0) return;
      head_size_ = *size;
      head_bytes_ = incoming_.substr(0, *size);
      incoming_.erase(0, *size);
      if (const auto parsed = parser_.request(head_bytes_, limits(), head_); !parsed) return refuse(400, parsed.error());
      if (head_.body.kind == proxy::BodyLength::Kind::fixed && head_.body.size > kMaxBody)
        return refuse(413, {"body_too_large", "the body is larger than 16 KiB"});
      body_ = head_.body.kind == proxy::BodyLength::Kind::none ? nullptr : std::make_unique<proxy::BodyDecoder>(head_.body);
      request_body_.clear();
    }
    while (body_ != nullptr) {
      const auto step = body_->decode(incoming_);
      if (!step) return refuse(400, step.error());
      request_body_.append(step->payload);
      incoming_.erase(0, step->consumed);
      if (request_body_.size() > kMaxBody) return refuse(413, {"body_too_large", "the body is larger than 16 KiB"});
      if (step->done) break;
      if (step->consumed == 0 || incoming_.empty()) return;
    }
    answer();
  }

  void answer() {
    keep_alive_ = head_.keep_alive;
    ControlRequest request{std::string(head_.method), std::string(head_.target.substr(0, head_.target.find('?'))), std::move(request_body_), peer_};
    ControlReply reply;
    try {
      reply = server_.handler_(request);
    } catch (const std::exception& error) {
      reply = control_error(500, "internal_error", error.what());
    }
    head_size_.reset();
    scanned_ = 0;
    send(encode(reply, keep_alive_));
  }

  void refuse(int status, const Error& error) {
    keep_alive_ = false;
    send(encode(control_error(status, error.code, error.message), false));
  }

  void send(std::string bytes) {
    outgoing_ = std::move(bytes);
    sent_ = 0;
    wait_for(UV_WRITABLE);
  }

  void on_writable() {
    const ssize_t wrote = ::send(socket_.get(), outgoing_.data() + sent_, outgoing_.size() - sent_, MSG_NOSIGNAL);
    if (wrote < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (wrote < 0) return close();
    sent_ += static_cast<std::size_t>(wrote);
    if (sent_ < outgoing_.size()) return;
    if (!keep_alive_) return close();
    outgoing_.clear();
    wait_for(UV_READABLE);
    if (!incoming_.empty()) take_request();  // it was sent along with the one before
  }

  static proxy::HeadLimits limits() { return {kMaxHead, 64}; }

  ControlServer& server_;
  UniqueFd socket_;
  Peer peer_;
  uv_poll_t poll_{};
  uv_timer_t timer_{};
  bool closing_ = false;
  int closed_ = 0;
  std::string incoming_;
  std::size_t scanned_ = 0;
  std::optional<std::size_t> head_size_;
  std::string head_bytes_;  // what head_ points into
  proxy::HeadParser parser_;
  proxy::RequestHead head_;
  std::unique_ptr<proxy::BodyDecoder> body_;
  std::string request_body_;
  std::string outgoing_;
  std::size_t sent_ = 0;
  bool keep_alive_ = false;
};

ControlServer::ControlServer(uv_loop_t* loop, UniqueFd listener, PeerCheck check, Handler handler, std::uint64_t deadline_ms)
    : loop_(loop), check_(std::move(check)), handler_(std::move(handler)), deadline_ms_(deadline_ms), listener_(std::move(listener)) {
  uv_poll_init(loop_, &poll_, listener_.get());
  poll_.data = this;
  uv_poll_start(&poll_, UV_READABLE, [](uv_poll_t* poll, int status, int) {
    if (status == 0) static_cast<ControlServer*>(poll->data)->on_connection();
  });
}

ControlServer::~ControlServer() {
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), [](uv_handle_t* handle) { static_cast<ControlServer*>(handle->data)->listening_ = false; });
  for (const auto& connection : connections_) connection->close();
  while (listening_ || !connections_.empty()) uv_run(loop_, UV_RUN_NOWAIT);
}

void ControlServer::on_connection() {
  UniqueFd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket) return;
  if (connections_.size() >= kMaxConnections) return;  // closed at once: whoever means well tries again
  auto peer = check_(socket.get());
  if (!peer) {
    // Said once, as far as the socket takes it without waiting, and closed.
    const std::string reply = encode(control_error(403, peer.error().code, peer.error().message), false);
    (void)!::send(socket.get(), reply.data(), reply.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return;
  }
  connections_.push_back(std::make_unique<Connection>(*this, std::move(socket), std::move(*peer)));
}

void ControlServer::remove(Connection* connection) {
  std::erase_if(connections_, [&](const auto& known) { return known.get() == connection; });
}

}  // namespace weir::keeper
