#include "proxy/leaks/name_needles.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "proxy/leaks/forms.h"

namespace weir::proxy::leaks {
namespace {

// Every kPiece characters of a form hold one of its blocks whole; so do the first kAcrossLabels.
constexpr std::size_t kBlock = 12;
static_assert(2 * kBlock <= NameNeedles::kPiece && kBlock <= NameNeedles::kAcrossLabels);
constexpr std::size_t kLongestName = 255;  // RFC 1035 §2.3.4

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

std::uint32_t extend(std::uint32_t hash, char c) { return (hash ^ static_cast<unsigned char>(c)) * 0x01000193U; }  // FNV-1a
std::uint32_t hash_of(std::string_view bytes) {
  std::uint32_t hash = 0x811C9DC5U;
  for (const char c : bytes) hash = extend(hash, c);
  return hash;
}

}  // namespace

NameNeedles::NameNeedles(std::span<const Needle> needles) {
  std::size_t room = 0;
  for (const auto& needle : needles)
    if (needle.text.size() >= Needles::kShortest) room += needle.text.size();
  texts_ = Secret::of_size(room);
  std::uint32_t at = 0;
  for (const auto& needle : needles) {
    if (needle.text.size() < Needles::kShortest) continue;
    std::memcpy(texts_.data() + at, needle.text.data(), needle.text.size());
    add(needle, needle.text, at);
    at += static_cast<std::uint32_t>(needle.text.size());
  }
  std::size_t count = 0;
  for (const auto& stream : streams_) count += stream.length / kBlock;
  blocks_memory_ = Secret::of_size(count * sizeof(Block));
  blocks_ = {reinterpret_cast<Block*>(blocks_memory_.data()), count};
  std::size_t next = 0;
  for (std::uint32_t i = 0; i < streams_.size(); ++i)
    for (std::uint32_t block = 0; block + kBlock <= streams_[i].length; block += kBlock) {
      std::uint32_t hash = 0x811C9DC5U;
      for (std::uint32_t k = 0; k < kBlock; ++k) hash = extend(hash, character(streams_[i], block + k));
      blocks_[next++] = {.hash = hash, .stream = i, .at = block};
    }
  std::sort(blocks_.begin(), blocks_.end(), [](const Block& a, const Block& b) { return a.hash < b.hash; });
}

void NameNeedles::add(const Needle& needle, std::string_view text, std::uint32_t at) {
  const auto keep = [&](Stream::Kind kind, std::size_t skipped, std::size_t length) {
    if (length < Needles::kShortest) return;
    (length < kAcrossLabels ? short_ : streams_)
        .push_back({.kind = kind,
                    .skipped = static_cast<std::uint8_t>(skipped),
                    .at = at,
                    .size = static_cast<std::uint32_t>(text.size()),
                    .length = static_cast<std::uint32_t>(length),
                    .id = needle.id});
  };
  keep(Stream::Kind::raw, 0, text.size());
  if (!needle.other_forms) return;
  keep(Stream::Kind::hex, 0, 2 * text.size());
  // Only whole characters: what follows the text is not known.
  for (std::size_t skipped = 0; skipped < 5; ++skipped) keep(Stream::Kind::base32, skipped, 8 * (text.size() - skipped) / 5);
  for (std::size_t skipped = 0; skipped < 3; ++skipped) keep(Stream::Kind::base64, skipped, 8 * (text.size() - skipped) / 6);
}

char NameNeedles::character(const Stream& stream, std::size_t index) const {
  const auto text = texts_.reveal().substr(stream.at, stream.size);
  switch (stream.kind) {
    case Stream::Kind::raw: return lower(text[index]);
    case Stream::Kind::hex: return hex_digit(text, index);
    case Stream::Kind::base32: return base32_character(text, stream.skipped, index);
    case Stream::Kind::base64: return lower(base64_character(text, stream.skipped, index));
  }
  return '\0';
}

bool NameNeedles::find(std::string_view name, std::uint32_t& id) const {
  std::array<char, kLongestName> joined{};
  std::size_t size = 0;
  for (std::size_t at = 0; at < name.size() && size < joined.size();) {
    const std::size_t end = std::min(name.find('.', at), name.size());
    const std::size_t begin = size;
    for (; at < end && size < joined.size(); ++at) joined[size++] = lower(name[at]);
    const std::string_view label(joined.data() + begin, size - begin);
    for (const auto& stream : short_)
      if (stands_whole(stream, label)) {
        id = stream.id;
        return true;
      }
    at = end + 1;
  }
  const std::string_view all(joined.data(), size);
  for (std::size_t at = 0; at + kBlock <= all.size(); ++at) {
    const std::uint32_t hash = hash_of(all.substr(at, kBlock));
    auto block = std::lower_bound(blocks_.begin(), blocks_.end(), hash, [](const Block& b, std::uint32_t wanted) { return b.hash < wanted; });
    for (; block != blocks_.end() && block->hash == hash; ++block)
      if (stands_around(*block, all, at)) {
        id = streams_[block->stream].id;
        return true;
      }
  }
  return false;
}

bool NameNeedles::stands_whole(const Stream& stream, std::string_view label) const {
  for (std::size_t at = 0; at + stream.length <= label.size(); ++at) {
    std::size_t same = 0;
    while (same < stream.length && character(stream, same) == label[at + same]) ++same;
    if (same == stream.length) return true;
  }
  return false;
}

bool NameNeedles::stands_around(const Block& block, std::string_view joined, std::size_t at) const {
  const auto& stream = streams_[block.stream];
  std::size_t before = 0, after = 0;
  while (block.at + after < stream.length && at + after < joined.size() && character(stream, block.at + after) == joined[at + after]) ++after;
  while (before < block.at && before < at && character(stream, block.at - before - 1) == joined[at - before - 1]) ++before;
  return after >= kBlock && before + after >= std::min<std::size_t>(kPiece, stream.length);
}

}  // namespace weir::proxy::leaks
