// Frames and bytes for the tests here.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "proxy/websocket/frame_decoder.h"
#include "proxy/websocket/frame_encoder.h"

namespace weir::proxy::websocket {

struct Frame {
  Opcode opcode = Opcode::text;
  bool fin = true;
  std::string payload;
  bool operator==(const Frame&) const = default;
};

inline void PrintTo(const Frame& frame, std::ostream* out) {
  *out << '{' << static_cast<int>(frame.opcode) << (frame.fin ? " fin " : " ") << frame.payload.size() << ' '
       << frame.payload.substr(0, 60) << '}';
}

constexpr MaskKey kTestKey{0x37, 0xfa, 0x21, 0x3d};

inline std::string bytes_of(const std::vector<Frame>& frames, Sender from) {
  std::string out;
  for (const auto& frame : frames)
    append_frame(out, frame.opcode, frame.fin, frame.payload,
                 from == Sender::client ? std::optional(kTestKey) : std::nullopt);
  return out;
}

// The frames that a strict receiver finds, fed `piece` bytes at a time; what is not whole at the end is left out. `error`:
// its code, or empty.
struct Received {
  std::vector<Frame> frames;
  std::string error;
};

inline Received receive(std::string bytes, Sender from, std::size_t piece = 1U << 30) {
  Received received;
  FrameDecoder decoder(from);
  Frame frame;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    auto input = std::span(bytes).subspan(at, std::min(piece, bytes.size() - at));
    while (!input.empty()) {
      const auto step = decoder.decode(input);
      if (!step) {
        received.error = step.error().code;
        return received;
      }
      input = input.subspan(step->consumed);
      if (!step->is_piece) continue;
      if (step->begins) frame = {.opcode = step->opcode, .fin = step->fin, .payload = {}};
      frame.payload.append(step->payload.data(), step->payload.size());
      if (step->ends) received.frames.push_back(frame);
    }
  }
  return received;
}

// What frames say once fragments are put together; control frames where they came.
inline std::vector<Frame> messages_of(const std::vector<Frame>& frames) {
  std::vector<Frame> messages;
  Frame message;
  bool open = false;
  for (const auto& frame : frames) {
    if (is_control(frame.opcode)) {
      messages.push_back(frame);
      continue;
    }
    EXPECT_EQ(frame.opcode == Opcode::continuation, open);
    if (!open) message = {.opcode = frame.opcode, .fin = true, .payload = {}};
    message.payload += frame.payload;
    open = !frame.fin;
    if (frame.fin) messages.push_back(message);
  }
  return messages;
}

}  // namespace weir::proxy::websocket
