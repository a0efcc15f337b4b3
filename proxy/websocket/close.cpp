#include "proxy/websocket/close.h"

#include "base/text.h"

namespace weir::proxy::websocket {

namespace {

// RFC 6455 §7.4, and what IANA has registered since.
bool may_be_sent(unsigned code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

}  // namespace

Result<Close> read_close(std::string_view payload) {
  constexpr auto kCode = "frame_close";
  if (payload.empty()) return Close{};
  if (payload.size() < 2) return fail(kCode, "A close frame has half a status code.");
  const unsigned code = static_cast<unsigned char>(payload[0]) * 256U + static_cast<unsigned char>(payload[1]);
  if (!may_be_sent(code))
    return fail(kCode, "A close frame has the status code " + std::to_string(code) + ", which may not be sent.");
  const auto reason = payload.substr(2);
  if (valid_utf8_prefix(reason) != reason.size()) return fail(kCode, "A close frame's reason is not valid UTF-8.");
  return Close{.code = static_cast<std::uint16_t>(code), .reason = reason};
}

}  // namespace weir::proxy::websocket
