// Closing a WebSocket (RFC 6455 §5.5.1, §7.4).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.h"

namespace weir::proxy::websocket {

inline constexpr std::uint16_t kNormalClosure = 1000;
inline constexpr std::uint16_t kGoingAway = 1001;
inline constexpr std::uint16_t kProtocolError = 1002;
inline constexpr std::uint16_t kNoStatus = 1005;  // never sent: a close frame without a code
inline constexpr std::uint16_t kPolicyViolation = 1008;

struct Close {
  std::uint16_t code = kNoStatus;
  std::string_view reason;
};

// A close frame's whole payload, unmasked. Error "frame_close": one byte, a code that may not be sent, or a reason that is
// not UTF-8. The view is into the payload.
Result<Close> read_close(std::string_view payload);

}  // namespace weir::proxy::websocket
