// Content codings taken off, as far as is needed to look into what they hold: gzip (RFC 1952), zlib and raw deflate (RFC 1950, 1951),
// brotli (RFC 7932). Nothing is kept but the decoders' own state: 16 MiB at most for brotli, 44 KiB for the others.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace weir::proxy::leaks {

// Where bytes go that have one coding less.
class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;
  virtual void take(std::string_view bytes, bool last) = 0;
  // Whether nothing was left out so far; `at_end`: and the end is where it should be.
  virtual bool complete(bool at_end) const = 0;
};

enum class Coding : std::uint8_t { gzip, deflate, brotli };
inline constexpr std::size_t kMostCodings = 3;

// The codings of a Content-Encoding value, the outermost first (RFC 9110 §8.4: it is named last); identity left out. Nothing where one is not
// known or there are more than kMostCodings.
std::optional<std::vector<Coding>> codings_of(std::string_view content_encoding);

// Takes off one coding, and hands on what `next` makes sinks for: one, or two for deflate, which is zlib's form by RFC 9110 §8.4.1.2 but
// read as raw deflate by many; both readings are followed. `room` (outlives it): how many bytes may still be decoded.
std::unique_ptr<Sink> make_decoder(Coding coding, std::uint64_t& room, const std::function<std::unique_ptr<Sink>()>& next);

}  // namespace weir::proxy::leaks
