// A connection's bytes to frames, as they come (RFC 6455 §5). Sans-I/O, nothing is buffered but a frame's header. SECURITY:
// G7.
#pragma once

#include <cstdint>
#include <span>

#include "base/error.h"
#include "proxy/websocket/frame.h"

namespace weir::proxy::websocket {

class FrameDecoder {
 public:
  explicit FrameDecoder(Sender from) : from_(from) {}

  // One piece of a frame: as much of its payload as was there. A frame without payload gives one empty piece. Control frames
  // may come between the frames of a message, but never within a frame.
  struct Step {
    std::size_t consumed = 0;   // bytes of the input used up
    bool is_piece = false;      // false: a frame's header is not complete yet, or there was no input
    Opcode opcode = {};         // of the frame
    Opcode message = {};        // text or binary, also for continuations; of a control frame its opcode
    bool fin = false;           // of the frame
    bool begins = false;        // first piece of the frame
    bool ends = false;          // last piece of the frame
    std::span<char> payload{};  // within the input, unmasked in place
    // The last piece of a message, or of a control frame.
    bool ends_message() const { return fin && ends; }
  };

  // Call again with the rest until all is consumed. Strict; errors, each as soon as its byte is there: "frame_reserved_bits"
  // (an extension, and weir agrees to none), "frame_opcode", "frame_mask" (missing from a client, there from a server),
  // "frame_control" (a control frame in fragments or longer than 125 bytes), "frame_length" (not the shortest form, or
  // 2^63 and more), "frame_continuation" (without a message, or a new message within one), "frame_after_close". The close
  // code for all of them is kProtocolError. After an error every further call gives it again. Text is not checked to be
  // UTF-8.
  Result<Step> decode(std::span<char> input);

  bool within_message() const { return in_message_; }  // between the frames of a message that is not complete
  bool within_frame() const { return header_size_ != 0; }
  bool closed() const { return closed_; }  // a close frame has come to its end

 private:
  Result<void> take_header_byte(std::uint8_t byte);
  Result<void> check_first(std::uint8_t byte);
  Result<void> check_length();

  Sender from_;
  bool in_message_ = false;
  bool closed_ = false;
  bool failed_ = false;
  Error failure_;
  Opcode message_ = Opcode::text;

  // The frame that is being read.
  std::array<std::uint8_t, kLargestFrameHeader> header_{};
  std::size_t header_size_ = 0;    // bytes of it that have come; 0: between frames
  std::size_t header_needed_ = 2;  // known after the second
  bool header_complete_ = false;
  bool begun_ = false;  // a piece of it has been given
  Opcode opcode_ = Opcode::text;
  bool fin_ = false;
  MaskKey key_{};
  std::uint64_t left_ = 0;      // of its payload
  std::size_t key_offset_ = 0;  // payload bytes so far, modulo 4
};

}  // namespace weir::proxy::websocket
