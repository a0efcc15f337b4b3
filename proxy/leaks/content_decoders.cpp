#include "proxy/leaks/content_decoders.h"

#include <brotli/decode.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <new>

namespace weir::proxy::leaks {
namespace {

constexpr std::size_t kPiece = 16384;  // decoded at once

// What all decoders do: hand on, count, stop at the first thing wrong.
class Decoder : public Sink {
 public:
  Decoder(std::uint64_t& room, std::unique_ptr<Sink> next) : room_(room), next_(std::move(next)) {}

  void take(std::string_view bytes, bool last) final {
    if (!stopped_) stopped_ = !decode(bytes);
    if (last) next_->take({}, true);
  }
  bool complete(bool at_end) const final { return !stopped_ && (!at_end || ended()) && next_->complete(at_end); }

 protected:
  virtual bool decode(std::string_view bytes) = 0;  // false: nothing more can be decoded
  virtual bool ended() const = 0;

  bool hand_on(const char* bytes, std::size_t size) {
    const bool fits = size <= room_;
    size = std::min<std::uint64_t>(size, room_);
    room_ -= size;
    if (size != 0) next_->take({bytes, size}, false);
    return fits;
  }

 private:
  std::uint64_t& room_;
  std::unique_ptr<Sink> next_;
  bool stopped_ = false;
};

class Inflater final : public Decoder {
 public:
  enum class Wrapping : std::uint8_t { gzip, zlib, raw };

  Inflater(Wrapping wrapping, std::uint64_t& room, std::unique_ptr<Sink> next) : Decoder(room, std::move(next)), wrapping_(wrapping) {
    // zlib.h, inflateInit2(): 16 more is gzip alone, less than 0 is raw deflate.
    const int bits = wrapping == Wrapping::gzip ? 15 + 16 : wrapping == Wrapping::zlib ? 15 : -15;
    if (inflateInit2(&stream_, bits) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() override { inflateEnd(&stream_); }

 private:
  bool decode(std::string_view bytes) override {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // NOLINT: zlib only reads it
    stream_.avail_in = static_cast<uInt>(bytes.size());
    while (true) {
      if (at_end_) {
        if (stream_.avail_in == 0) return true;
        // RFC 1952 §2.2: one member may follow the other. What follows the other forms belongs to nothing.
        if (wrapping_ != Wrapping::gzip || inflateReset(&stream_) != Z_OK) return false;
        at_end_ = false;
      }
      std::array<char, kPiece> out;  // NOLINT: filled by inflate()
      stream_.next_out = reinterpret_cast<Bytef*>(out.data());
      stream_.avail_out = static_cast<uInt>(out.size());
      const int result = inflate(&stream_, Z_NO_FLUSH);
      const std::size_t size = out.size() - stream_.avail_out;
      if (!hand_on(out.data(), size)) return false;
      if (result == Z_BUF_ERROR || (result == Z_OK && stream_.avail_in == 0 && stream_.avail_out != 0)) return true;
      if (result != Z_OK && result != Z_STREAM_END) return false;
      at_end_ = result == Z_STREAM_END;
    }
  }
  bool ended() const override { return at_end_; }

  z_stream stream_{};
  Wrapping wrapping_;
  bool at_end_ = false;
};

struct BrotliFree {
  void operator()(BrotliDecoderState* state) const { BrotliDecoderDestroyInstance(state); }
};

class Brotli final : public Decoder {
 public:
  Brotli(std::uint64_t& room, std::unique_ptr<Sink> next) : Decoder(room, std::move(next)), state_(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr)) {
    if (!state_) throw std::bad_alloc();
  }

 private:
  bool decode(std::string_view bytes) override {
    auto available = bytes.size();
    auto* in = reinterpret_cast<const std::uint8_t*>(bytes.data());
    if (at_end_) return available == 0;
    while (true) {
      std::size_t none = 0;
      const auto result = BrotliDecoderDecompressStream(state_.get(), &available, &in, &none, nullptr, nullptr);
      if (result == BROTLI_DECODER_RESULT_ERROR) return false;
      while (BrotliDecoderHasMoreOutput(state_.get()) != BROTLI_FALSE) {
        std::size_t size = kPiece;
        const auto* out = BrotliDecoderTakeOutput(state_.get(), &size);
        if (!hand_on(reinterpret_cast<const char*>(out), size)) return false;
      }
      if (result == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT) return true;
      if (result == BROTLI_DECODER_RESULT_SUCCESS) {
        at_end_ = true;
        return available == 0;
      }
    }
  }
  bool ended() const override { return at_end_; }

  std::unique_ptr<BrotliDecoderState, BrotliFree> state_;
  bool at_end_ = false;
};

class BothReadings final : public Sink {
 public:
  BothReadings(std::unique_ptr<Sink> first, std::unique_ptr<Sink> second) : first_(std::move(first)), second_(std::move(second)) {}
  void take(std::string_view bytes, bool last) override {
    first_->take(bytes, last);
    second_->take(bytes, last);
  }
  bool complete(bool at_end) const override { return first_->complete(at_end) || second_->complete(at_end); }

 private:
  std::unique_ptr<Sink> first_, second_;
};

bool is_token(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a | 0x20 : a) == b; });
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

std::optional<std::vector<Coding>> codings_of(std::string_view content_encoding) {
  std::vector<Coding> codings;
  while (!content_encoding.empty()) {
    const auto comma = std::min(content_encoding.find(','), content_encoding.size());
    const auto name = trimmed(content_encoding.substr(0, comma));
    content_encoding.remove_prefix(std::min(comma + 1, content_encoding.size()));
    if (name.empty() || is_token(name, "identity")) continue;
    if (codings.size() == kMostCodings) return std::nullopt;
    if (is_token(name, "gzip") || is_token(name, "x-gzip"))
      codings.push_back(Coding::gzip);
    else if (is_token(name, "deflate"))
      codings.push_back(Coding::deflate);
    else if (is_token(name, "br"))
      codings.push_back(Coding::brotli);
    else
      return std::nullopt;
  }
  std::reverse(codings.begin(), codings.end());
  return codings;
}

std::unique_ptr<Sink> make_decoder(Coding coding, std::uint64_t& room, const std::function<std::unique_ptr<Sink>()>& next) {
  using enum Inflater::Wrapping;
  switch (coding) {
    case Coding::gzip: return std::make_unique<Inflater>(gzip, room, next());
    case Coding::brotli: return std::make_unique<Brotli>(room, next());
    case Coding::deflate: break;
  }
  return std::make_unique<BothReadings>(std::make_unique<Inflater>(zlib, room, next()), std::make_unique<Inflater>(raw, room, next()));
}

}  // namespace weir::proxy::leaks
