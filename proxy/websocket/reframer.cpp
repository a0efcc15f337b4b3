#include "proxy/websocket/reframer.h"

#include <algorithm>

#include "base/secret.h"
#include "proxy/websocket/close.h"

namespace weir::proxy::websocket {

Reframer::Reframer(Sender from, Transform transform, MaskKeys keys)
    : decoder_(from), transform_(std::move(transform)), keys_(std::move(keys)), masks_(from == Sender::client) {}

Result<void> Reframer::feed(std::span<char> input, std::string& out) {
  while (!input.empty()) {
    const auto step = decoder_.decode(input);
    if (!step) return std::unexpected(step.error());
    input = input.subspan(step->consumed);
    if (!step->is_piece) continue;
    payload_bytes_ += step->payload.size();
    if (step->ends) ++frames_;
    if (is_control(step->opcode)) {
      if (auto passed = control(*step, out); !passed) return passed;
    } else {
      if (auto passed = data(*step, out); !passed) return passed;
    }
  }
  return {};
}

void Reframer::emit(std::string& out, Opcode opcode, bool fin, std::string_view payload) {
  append_frame(out, opcode, fin, payload, masks_ ? std::optional(keys_()) : std::nullopt);
}

Result<void> Reframer::control(const FrameDecoder::Step& step, std::string& out) {
  control_.append(step.payload.data(), step.payload.size());
  if (!step.ends) return {};
  std::size_t text_at = 0;
  if (step.opcode == Opcode::close) {
    if (auto close = read_close(control_); !close) return std::unexpected(close.error());
    text_at = std::min<std::size_t>(2, control_.size());
  }
  if (transform_) transform_(std::span(control_).subspan(text_at), true);
  if (rewrite_) {
    // SECURITY: a control frame holds 125 octets at most (RFC 6455 §5.5), so it may be looked at and not changed in length.
    std::string passed;
    if (auto looked = rewrite_(std::string_view(control_).substr(text_at), step.opcode, true, passed); !looked) return looked;
  }
  emit(out, step.opcode, true, control_);
  control_.clear();
  return {};
}

Result<void> Reframer::data(const FrameDecoder::Step& step, std::string& out) {
  const bool last = step.ends_message();
  if (rewrite_) {
    std::string written;
    if (auto done = rewrite_({step.payload.data(), step.payload.size()}, step.message, last, written); !done) return done;
    if (!written.empty() || last) {
      emit(out, first_ ? step.message : Opcode::continuation, last, written);
      first_ = false;
    }
    wipe(written.data(), written.size());
    if (last) {
      first_ = true;
      ++messages_;
    }
    return {};
  }
  auto bytes = step.payload;
  std::string joined;
  if (!held_.empty()) {
    joined.swap(held_);
    joined.append(bytes.data(), bytes.size());
    bytes = joined;
  }
  std::size_t now = bytes.size();
  if (transform_ && !bytes.empty()) {
    const auto wanted = transform_(bytes, last);
    if (!last) now = std::min(wanted, bytes.size());
  }
  const auto kept = bytes.subspan(now);
  held_.assign(kept.data(), kept.size());
  // An empty frame says nothing unless it ends the message.
  if (now != 0 || last) {
    emit(out, first_ ? step.message : Opcode::continuation, last, {bytes.data(), now});
    first_ = false;
  }
  if (!last) return {};
  first_ = true;
  ++messages_;
  return {};
}

}  // namespace weir::proxy::websocket
