// One connection from the sandbox: whom it dialled, TLS or not, then request after request.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proxy/gate/gate.h"
#include "proxy/gate/read_buffer.h"
#include "proxy/gate/refusal.h"
#include "proxy/http1/decoder.h"
#include "proxy/io/transport.h"

namespace weir::proxy {

class Connection {
 public:
  Connection(Gate& gate, UniqueFd socket) : gate_(gate), transport(gate.loop, std::move(socket)) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  io::Task<void> serve();
  void close_idle() { transport.close(); }

 private:
  Gate& gate_;
  bool find_destination();
  io::Task<bool> start();                 // until the first request can be read
  io::Task<bool> read_head();             // into head_bytes; false: closed, timed out or refused
  io::Task<bool> serve_request();         // true: the connection may go on
  bool owners_known_ = false;
  void deny_connection(std::string_view code, std::string_view reason);

 public:
  // For admission.cpp and exchange.cpp, which carry one request of this connection.
  io::Transport transport;
  ReadBuffer inbound;
  std::string out;          // serialised bytes on their way; kept for its capacity
  std::string head_bytes;   // the request's head; RequestHead's views point into it
  RequestHead head;
  std::string response_bytes;  // the response's head; ResponseHead's views point into it
  ResponseHead response;
  Destination destination;     // where this connection's requests go: one place for all of them

  std::string host;         // canonical name behind the dialled address, or the IP literal
  std::string dialled;      // the address as dialled
  std::uint16_t port = 0;
  bool literal = false;     // an address was dialled that stands for no name
  bool tls = false;
  std::string server_name;  // SNI, canonical; empty: none
  io::Task<void> find_owners();  // fills `executables`, once
  std::vector<std::string> executables;  // that hold this connection, where a policy wants to know; empty: not known

  // The request's body where all of it is here already: read ahead, none, or small and come with its head.
  std::optional<std::string_view> whole_body() const {
    if (read_body) return std::string_view(*read_body);
    if (head.body.kind == BodyLength::Kind::none) return std::string_view();
    if (head.body.kind == BodyLength::Kind::fixed && head.body.size <= kInlineBody && head.body.size <= inbound.size())
      return inbound.view().substr(0, head.body.size);
    return std::nullopt;
  }
  static constexpr std::size_t kInlineBody = 16 * 1024;

  // The request's body where it had to be read first: it is then all here, and inbound is behind it.
  std::optional<std::string> read_body;
  std::optional<BodyDecoder> partly_read;  // where that reading stopped short: what is left is still inbound
};

io::Task<void> serve_connection(Gate& gate, UniqueFd socket);

}  // namespace weir::proxy
