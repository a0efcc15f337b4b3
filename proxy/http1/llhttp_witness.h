// The second opinion on a head: llhttp, with every lenient flag off, must have read the same message that our own parser
// did.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "proxy/http1/message.h"

namespace weir::proxy {

// What our own parser read, to be confirmed.
struct Reading {
  std::string_view method;  // requests
  std::string_view target;
  int status = 0;  // responses
  bool http_1_0 = false;
  const std::vector<Header>* headers = nullptr;
  std::optional<std::uint64_t> length;  // Content-Length
  bool chunked = false;
};

class LlhttpWitness {
 public:
  LlhttpWitness();
  ~LlhttpWitness();
  LlhttpWitness(LlhttpWitness&&) noexcept;
  LlhttpWitness& operator=(LlhttpWitness&&) noexcept;

  // Both read the same bytes, so even the views must be at the same places. `head` is one complete head and nothing else.
  bool confirms_request(std::string_view head, const Reading& reading);
  bool confirms_response(std::string_view head, const Reading& reading);
  // Why not, in llhttp's own words where it found a fault; a static string.
  std::string_view objection() const;

 private:
  struct State;
  bool confirms(std::string_view head, const Reading& reading);
  std::unique_ptr<State> state_;
};

}  // namespace weir::proxy
