// One admitted request and its response: recorded, given its credential, carried to the upstream and back. The unit is a
// message pair, not a connection. All waiting has deadlines; bodies flow through without being gathered.
#pragma once

#include <string>

#include "proxy/gate/admission.h"
#include "proxy/gate/connection.h"
#include "proxy/gate/leak_guard.h"
#include "proxy/gate/outgoing_request.h"
#include "proxy/gate/secret_mask.h"
#include "proxy/gate/upstream_pool.h"
#include "proxy/http1/decoder.h"
#include "proxy/websocket/handshake.h"
#include "proxy/websocket/reframer.h"

namespace weir::proxy {

// Answers with a refusal, records `egress.denied`, and drains what is left of the request's body. True: the connection may be used again.
// `refusal` and `admission` outlive the call.
io::Task<bool> refuse(Gate& gate, Connection& connection, const Refusal& refusal, const Admission* admission);

class Exchange {
 public:
  // All arguments outlive it.
  Exchange(Gate& gate, Connection& connection, Admission& admission, LeakGuard& guard);
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  io::Task<bool> run();  // true: the client's connection may be used again

 private:
  enum class PumpEnd : std::uint8_t { running, complete, client_gone, upstream_gone, bad_body, too_large, refused };

  Refusal refusal_for_preparing(const Error& error) const;
  void serialise_request(bool with_body);
  void consume_inline_body();
  io::Task<Result<void>> send_request();
  io::Task<void> pump_body();
  io::Task<Result<void>> read_response_head();
  io::Task<bool> stream_response();
  io::Task<bool> answer_with_placeholders();  // token_exchange.cpp, and the next two
  io::Task<Result<void>> read_whole_answer(WipedText& body);
  io::Task<Result<void>> catch_tokens(WipedText& body);
  io::Task<bool> write_payload(std::string_view payload, bool last);
  io::Task<void> stop_pump();
  io::Task<bool> fail_upstream(const Error& error);
  void append_handshake(std::string& out);   // websocket_exchange.cpp, and the next
  websocket::Rewrite look_at_text();
  io::Task<bool> switch_protocols();
  void serialise_response_head();
  using Trailers = std::vector<std::pair<std::string, std::string>>;
  Trailers masked_trailers(Trailers trailers);
  Trailers allowed_trailers(Trailers trailers) const;
  Result<void> examine_trailers(const Trailers& trailers);
  void leave_rest(const BodyDecoder::Step& step, BodyDecoder& decoder);
  void report_response();
  void report_reflected();
  io::Deadline progress() const { return gate_.loop.in(progress_ms_); }

  Gate& gate_;
  Connection& client_;
  Admission& admission_;
  LeakGuard& guard_;
  OutgoingRequest request_;
  const Destination& destination_;
  std::unique_ptr<Upstream> upstream_;
  SecretMask mask_;
  std::string carry_;             // the end of a piece that may be the start of a secret
  std::uint64_t masked_ = 0;
  websocket::Handshake handshake_;  // where the request is one; views into its head
  std::string websocket_key_;       // weir's own, towards the upstream
  std::string& response_bytes_;   // the client's, for their capacity
  ResponseHead& response_;
  BodyLength to_client_;          // how the body is framed towards the client
  bool response_started_ = false;
  bool body_inline_ = false;      // the whole request body goes out with the head
  const policy::OAuthCapture* capture_ = nullptr;  // the request goes to a token endpoint whose tokens are caught
  bool upstream_spoke_ = false;   // some byte of the response has come
  PumpEnd pump_ = PumpEnd::complete;
  Error pump_error_;
  bool discarding_ = false;       // the upstream has answered: what the client still sends is dropped
  io::Event pump_ended_;
  std::uint64_t progress_ms_;
  std::uint64_t request_bytes_ = 0;
  std::uint64_t response_bytes_count_ = 0;
  std::uint64_t started_ns_ = 0;
  std::uint64_t first_byte_ns_ = 0;
  std::string_view end_ = "complete";
};

}  // namespace weir::proxy
