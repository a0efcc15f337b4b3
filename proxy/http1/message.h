// HTTP messages as values, whatever version carried them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/header_field.h"

namespace weir::proxy {

using Header = HeaderField;

// How a message's body ends (RFC 9112 §6.3).
struct BodyLength {
  enum class Kind : std::uint8_t { none, fixed, chunked, until_close } kind = Kind::none;
  std::uint64_t size = 0;  // fixed
  bool operator==(const BodyLength&) const = default;
};

// Views point into the bytes that HeadParser was given (decoder.h); valid as long as those.
struct RequestHead {
  std::string_view method;
  std::string_view target;  // as received: origin-form, absolute-form, authority-form or "*"
  std::vector<Header> headers;
  BodyLength body;
  bool http_1_0 = false;         // the message's version; HTTP/1.1 otherwise
  bool keep_alive = true;        // the connection may be used again (RFC 9112 §9.3)
  bool expect_continue = false;  // Expect: 100-continue
  bool upgrade = false;          // Connection: upgrade was asked for
  std::string_view host;         // the Host header's value; exactly one is required
};

struct ResponseHead {
  int status = 0;
  std::string_view reason;
  std::vector<Header> headers;
  BodyLength body;
  bool http_1_0 = false;
  bool keep_alive = true;
};

}  // namespace weir::proxy
