// One direction of a WebSocket that passes through weir: bytes in, frames of weir's own out. The peer's framing is never
// forwarded, and nothing waits for the end of a frame or a message. SECURITY: G7.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "base/error.h"
#include "proxy/websocket/frame_decoder.h"
#include "proxy/websocket/frame_encoder.h"

namespace weir::proxy::websocket {

// Sees the payload of messages and may change bytes in place. Gives how many bytes at the front may go on now; the rest is
// held back and stands at the front of `bytes` again when the next piece of the same message has come. With `last` (the
// message is complete) all go on, whatever it gives. To mask secrets: mask, then hold back what may be the start of one.
using Transform = std::function<std::size_t(std::span<char> bytes, bool last)>;

// Instead of a Transform: writes what may go on of a piece to `out`, of any length, and keeps the rest itself until the next piece of the
// same message; with `last` all of the message goes on. A control frame is a message of its own, also between the pieces of another.
// An error ends the WebSocket.
using Rewrite = std::function<Result<void>(std::string_view piece, Opcode message, bool last, std::string& out)>;

class Reframer {
 public:
  // `from` is who sends the bytes that come in; what goes out is masked for a server, not for a client, with a fresh key
  // each frame. Without a transform nothing is changed.
  explicit Reframer(Sender from, Transform transform = {}, MaskKeys keys = random_mask_keys());

  void rewrite_with(Rewrite rewrite) { rewrite_ = std::move(rewrite); }  // before the first feed()

  // Takes all of `input` (which is unmasked in place) and appends frames to `out`: each piece of payload as a frame, the
  // first of a message with its opcode, the last with FIN. Control frames go on when they are whole, also between fragments;
  // the transform sees their payload too (of a close its reason). What is appended always ends with a whole frame, so a
  // close frame of one's own may follow at any time. Errors: those of FrameDecoder and "frame_close"; `out` then holds what
  // came before it.
  Result<void> feed(std::span<char> input, std::string& out);

  std::uint64_t frames() const { return frames_; }      // received, whole
  std::uint64_t messages() const { return messages_; }  // received, whole, without control frames
  std::uint64_t payload_bytes() const { return payload_bytes_; }
  bool closed() const { return decoder_.closed(); }  // a close frame has been passed on: its sender sends no more
  bool whole() const {
    return !decoder_.within_frame() && !decoder_.within_message();
  }  // the bytes so far end with a message

 private:
  Result<void> control(const FrameDecoder::Step& step, std::string& out);
  Result<void> data(const FrameDecoder::Step& step, std::string& out);
  void emit(std::string& out, Opcode opcode, bool fin, std::string_view payload);

  FrameDecoder decoder_;
  Transform transform_;
  Rewrite rewrite_;
  MaskKeys keys_;
  bool masks_ = false;
  bool first_ = true;    // no frame of the present message has been written yet
  std::string held_;     // the end of the present message so far, held back by the transform
  std::string control_;  // the payload of the present control frame so far
  std::uint64_t frames_ = 0;
  std::uint64_t messages_ = 0;
  std::uint64_t payload_bytes_ = 0;
};

}  // namespace weir::proxy::websocket
