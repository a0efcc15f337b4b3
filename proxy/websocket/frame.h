// What frames are made of (RFC 6455 §5.2).
#pragma once

#include <array>
#include <cstdint>

namespace weir::proxy::websocket {

enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

inline bool is_control(Opcode opcode) { return (static_cast<std::uint8_t>(opcode) & 8U) != 0; }

// Clients mask what they send, servers do not (§5.1).
enum class Sender : std::uint8_t { client, server };

using MaskKey = std::array<std::uint8_t, 4>;

inline constexpr std::size_t kLargestControlPayload = 125;  // §5.5
inline constexpr std::size_t kLargestFrameHeader = 14;

}  // namespace weir::proxy::websocket
