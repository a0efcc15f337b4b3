#include "proxy/websocket/frame_decoder.h"

#include <algorithm>

#include "proxy/websocket/frame_encoder.h"

namespace weir::proxy::websocket {

namespace {

constexpr std::uint8_t kFin = 0x80, kReserved = 0x70, kOpcode = 0x0f, kMasked = 0x80, kLength = 0x7f;

}  // namespace

Result<void> FrameDecoder::check_first(std::uint8_t byte) {
  if (closed_) return fail("frame_after_close", "A frame follows the close frame.");
  if ((byte & kReserved) != 0)
    return fail("frame_reserved_bits", "A frame has a reserved bit set, and no extension was agreed.");
  const auto opcode = static_cast<unsigned>(byte & kOpcode);
  if (opcode > 10 || (opcode > 2 && opcode < 8)) return fail("frame_opcode", "A frame has an unknown opcode.");
  opcode_ = static_cast<Opcode>(opcode);
  fin_ = (byte & kFin) != 0;
  if (is_control(opcode_)) {
    if (!fin_) return fail("frame_control", "A control frame is fragmented.");
    return {};
  }
  if ((opcode_ == Opcode::continuation) != in_message_)
    return fail("frame_continuation",
                in_message_ ? "A message begins within another." : "A continuation frame continues nothing.");
  return {};
}

// Of a header whose length is complete.
Result<void> FrameDecoder::check_length() {
  const std::size_t short_length = header_[1] & kLength;
  left_ = short_length;
  if (short_length < 126) return {};
  const std::size_t bytes = short_length == 126 ? 2 : 8;
  left_ = 0;
  for (std::size_t i = 0; i < bytes; ++i) left_ = left_ << 8 | header_[2 + i];
  const bool shortest = bytes == 2 ? left_ > 125 : left_ > 0xffff;
  if (!shortest || left_ >> 63 != 0)
    return fail("frame_length", "A frame's length is not in its shortest form, or too large.");
  return {};
}

Result<void> FrameDecoder::take_header_byte(std::uint8_t byte) {
  header_[header_size_++] = byte;
  if (header_size_ == 1) return check_first(byte);
  const bool masked = (header_[1] & kMasked) != 0;
  const std::size_t short_length = header_[1] & kLength;
  const std::size_t length_end = short_length < 126 ? 2 : short_length == 126 ? 4 : 10;
  if (header_size_ == 2) {
    if (masked != (from_ == Sender::client))
      return fail("frame_mask", masked ? "A server's frame is masked." : "A client's frame is not masked.");
    if (is_control(opcode_) && short_length > kLargestControlPayload)
      return fail("frame_control", "A control frame is longer than 125 bytes.");
    header_needed_ = length_end + (masked ? key_.size() : 0);
  }
  if (header_size_ == length_end)
    if (auto checked = check_length(); !checked) return checked;
  if (header_size_ < header_needed_) return {};
  if (masked) std::copy_n(header_.begin() + static_cast<std::ptrdiff_t>(length_end), key_.size(), key_.begin());
  header_complete_ = true;
  begun_ = false;
  key_offset_ = 0;
  if (opcode_ == Opcode::text || opcode_ == Opcode::binary) message_ = opcode_;
  return {};
}

Result<FrameDecoder::Step> FrameDecoder::decode(std::span<char> input) {
  if (failed_) return std::unexpected(failure_);
  Step step;
  while (!header_complete_) {
    if (step.consumed == input.size()) return step;
    if (auto taken = take_header_byte(static_cast<std::uint8_t>(input[step.consumed++])); !taken) {
      failed_ = true;
      failure_ = taken.error();
      return std::unexpected(failure_);
    }
  }
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size() - step.consumed));
  if (size == 0 && left_ != 0) return step;  // the header is complete, and no payload has come yet
  step.is_piece = true;
  step.payload = input.subspan(step.consumed, size);
  step.consumed += size;
  step.opcode = opcode_;
  step.message = is_control(opcode_) ? opcode_ : message_;
  step.fin = fin_;
  step.begins = !begun_;
  begun_ = true;
  if (from_ == Sender::client) apply_mask(step.payload, key_, key_offset_);
  key_offset_ = (key_offset_ + size) % key_.size();
  left_ -= size;
  step.ends = left_ == 0;
  if (step.ends) {
    if (!is_control(opcode_)) in_message_ = !fin_;
    closed_ = opcode_ == Opcode::close;
    header_size_ = 0;
    header_complete_ = false;
  }
  return step;
}

}  // namespace weir::proxy::websocket
