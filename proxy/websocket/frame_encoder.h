// Frames to bytes (RFC 6455 §5.2), lengths in their shortest form.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "proxy/websocket/frame.h"

namespace weir::proxy::websocket {

// With a key: masked, as clients send. A control frame's payload is at most kLargestControlPayload and its `fin` true.
void append_frame(std::string& out, Opcode opcode, bool fin, std::string_view payload,
                  const std::optional<MaskKey>& key = {});

// `reason` is cut, at a character, to what fits.
void append_close(std::string& out, std::uint16_t code, std::string_view reason, const std::optional<MaskKey>& key = {});

// XOR with the key, which masks and unmasks (§5.3). `offset`: how many payload bytes came before.
void apply_mask(std::span<char> payload, const MaskKey& key, std::size_t offset = 0);

// Gives the next frame's key. §10.3 wants keys that cannot be foretold.
using MaskKeys = std::function<MaskKey()>;
MaskKeys random_mask_keys();  // from the kernel's CSPRNG, some at a time

}  // namespace weir::proxy::websocket
