// Texts looked for in names of DNS, where case means nothing, a label holds 63 octets at most, and so a text stands in pieces: labels are
// read without the dots between them, and a long enough piece of a text counts as much as the whole. SECURITY: G2.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "proxy/leaks/needles.h"

namespace weir::proxy::leaks {

class NameNeedles {
 public:
  // A piece of a text's form counts from this many characters on; a form that is shorter counts whole.
  static constexpr std::size_t kPiece = 24;
  // A form shorter than this must stand in one label: else it would be met by chance where two labels meet.
  static constexpr std::size_t kAcrossLabels = 12;

  NameNeedles() = default;
  explicit NameNeedles(std::span<const Needle> needles);

  bool find(std::string_view name, std::uint32_t& id) const;
  std::size_t memory() const { return texts_.size() + blocks_memory_.size(); }

 private:
  // A form of a text, that is not stored but read from the text character by character.
  struct Stream {
    enum class Kind : std::uint8_t { raw, hex, base32, base64 } kind = Kind::raw;
    std::uint8_t skipped = 0;  // octets of the text that the encoding leaves out in front
    std::uint32_t at = 0, size = 0;  // of the text
    std::uint32_t length = 0;  // characters
    std::uint32_t id = 0;
  };
  struct Block {
    std::uint32_t hash = 0, stream = 0, at = 0;
  };

  void add(const Needle& needle, std::string_view text, std::uint32_t at);
  char character(const Stream& stream, std::size_t index) const;
  bool stands_whole(const Stream& stream, std::string_view label) const;
  bool stands_around(const Block& block, std::string_view joined, std::size_t at) const;

  Secret texts_;
  std::vector<Stream> streams_, short_;  // nothing secret: places, sizes
  Secret blocks_memory_;
  std::span<Block> blocks_;  // sorted by hash
};

}  // namespace weir::proxy::leaks
