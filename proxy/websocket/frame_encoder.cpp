#include "proxy/websocket/frame_encoder.h"

#include <cstring>
#include <memory>

#include "base/encoding.h"
#include "base/text.h"

namespace weir::proxy::websocket {

namespace {

void append_header(std::string& out, Opcode opcode, bool fin, std::uint64_t length, const std::optional<MaskKey>& key) {
  constexpr unsigned kFin = 0x80, kMasked = 0x80;
  const unsigned mask_bit = key ? kMasked : 0U;
  int length_bytes = 0;
  out += static_cast<char>((fin ? kFin : 0U) | static_cast<unsigned>(opcode));
  if (length <= 125) {
    out += static_cast<char>(mask_bit | static_cast<unsigned>(length));
  } else {
    length_bytes = length <= 0xffff ? 2 : 8;
    out += static_cast<char>(mask_bit | (length_bytes == 2 ? 126U : 127U));
  }
  for (int i = length_bytes - 1; i >= 0; --i) out += static_cast<char>(length >> (8 * i) & 0xffU);
  if (key) out.append(reinterpret_cast<const char*>(key->data()), key->size());
}

}  // namespace

void append_frame(std::string& out, Opcode opcode, bool fin, std::string_view payload, const std::optional<MaskKey>& key) {
  append_header(out, opcode, fin, payload.size(), key);
  out += payload;
  if (key) apply_mask(std::span(out).last(payload.size()), *key);
}

void append_close(std::string& out, std::uint16_t code, std::string_view reason, const std::optional<MaskKey>& key) {
  reason = reason.substr(0, kLargestControlPayload - 2);
  reason = reason.substr(0, valid_utf8_prefix(reason));
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  append_frame(out, Opcode::close, true, payload += reason, key);
}

void apply_mask(std::span<char> payload, const MaskKey& key, std::size_t offset) {
  // Eight bytes a step: the key twice, turned so that it begins at the offset.
  std::array<std::uint8_t, 8> turned{};
  for (std::size_t i = 0; i < turned.size(); ++i) turned[i] = key[(offset + i) % key.size()];
  std::uint64_t mask = 0;
  std::memcpy(&mask, turned.data(), sizeof mask);
  std::size_t at = 0;
  for (; at + sizeof mask <= payload.size(); at += sizeof mask) {
    std::uint64_t word = 0;
    std::memcpy(&word, payload.data() + at, sizeof word);
    word ^= mask;
    std::memcpy(payload.data() + at, &word, sizeof word);
  }
  for (std::size_t i = 0; at < payload.size(); ++at, ++i) payload[at] = static_cast<char>(payload[at] ^ turned[i]);
}

MaskKeys random_mask_keys() {
  constexpr std::size_t kAtATime = 1024;
  struct Pool {
    std::string bytes;
    std::size_t used = 0;
  };
  return [pool = Pool{}]() mutable {
    MaskKey key;
    if (pool.used == pool.bytes.size()) pool = {.bytes = random_bytes(kAtATime), .used = 0};
    std::memcpy(key.data(), pool.bytes.data() + pool.used, key.size());
    pool.used += key.size();
    return key;
  };
}

}  // namespace weir::proxy::websocket
