// WebSocket frames. The first byte says who sends and how the input is cut; the rest is what comes over the connection.
// Whatever the pieces, the decoder must find the same frames, and what the re-framer passes on must hold the same messages.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/websocket/frame_decoder.h"
#include "proxy/websocket/reframer.h"

using namespace weir::proxy::websocket;

namespace {

struct Frame {
  Opcode opcode{};
  bool fin = false;
  bool whole = false;
  std::string payload{};
  bool operator==(const Frame&) const = default;
};

struct Received {
  std::vector<Frame> frames;
  std::string error;
  bool operator==(const Received&) const = default;
};

Received receive(std::string bytes, Sender from, std::size_t piece) {
  Received received;
  FrameDecoder decoder(from);
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    auto input = std::span(bytes).subspan(at, std::min(piece, bytes.size() - at));
    while (!input.empty()) {
      const auto step = decoder.decode(input);
      if (!step) {
        received.error = step.error().code;
        return received;
      }
      input = input.subspan(step->consumed);
      if (!step->is_piece) {
        if (!input.empty()) std::abort();
        continue;
      }
      if (step->begins) received.frames.push_back({.opcode = step->opcode, .fin = step->fin});
      auto& frame = received.frames.back();
      frame.payload.append(step->payload.data(), step->payload.size());
      frame.whole = step->ends;
    }
  }
  return received;
}

// The messages, complete or not, and the control frames that are whole, each in order.
struct Said {
  std::vector<std::pair<Opcode, std::string>> messages;
  std::vector<Frame> controls;
  bool complete = true;
  bool operator==(const Said&) const = default;
};

Said said(const Received& received) {
  Said result;
  for (const auto& frame : received.frames) {
    if (is_control(frame.opcode)) {
      if (frame.whole) result.controls.push_back(frame);
      continue;
    }
    if (frame.opcode != Opcode::continuation) result.messages.emplace_back(frame.opcode, "");
    result.messages.back().second += frame.payload;
    result.complete = frame.fin && frame.whole;
  }
  // An unfinished message without a byte is not passed on yet.
  if (!result.complete && result.messages.back().second.empty()) {
    result.messages.pop_back();
    result.complete = true;
  }
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto from = (data[0] & 1) != 0 ? Sender::client : Sender::server;
  const std::size_t piece = 1 + (data[0] >> 1);
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);

  const auto whole = receive(bytes, from, bytes.size() + 1);
  if (receive(bytes, from, piece) != whole) std::abort();

  for (const bool holds_back : {false, true}) {
    Transform transform;
    if (holds_back) transform = [](std::span<char> some, bool) { return some.size() / 2; };
    Reframer reframer(from, transform, [] { return MaskKey{1, 2, 3, 4}; });
    auto input = bytes;
    std::string out, error;
    for (std::size_t at = 0; at < input.size() && error.empty(); at += piece)
      if (auto fed = reframer.feed(std::span(input).subspan(at, std::min(piece, input.size() - at)), out); !fed)
        error = fed.error().code;
    const auto passed = receive(out, from, out.size() + 1);
    if (!passed.error.empty()) std::abort();
    for (const auto& frame : passed.frames)
      if (!frame.whole) std::abort();
    if (error == "frame_close") continue;  // the decoder itself does not look into it
    if (error != whole.error) std::abort();
    if (!holds_back) {
      if (said(passed) != said(whole)) std::abort();
      continue;
    }
    // What is held back is an end of the last message, and only while it is not complete.
    auto want = said(whole), got = said(passed);
    if (got.controls != want.controls) std::abort();
    if (want.complete ? got.messages != want.messages : got.messages.size() > want.messages.size()) std::abort();
    for (std::size_t i = 0; i < got.messages.size(); ++i)
      if (got.messages[i].first != want.messages[i].first || !want.messages[i].second.starts_with(got.messages[i].second))
        std::abort();
  }
  return 0;
}
