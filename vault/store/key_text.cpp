#include "vault/store/key_text.h"

#include <openssl/rand.h>

#include <stdexcept>

namespace weir::vault::store {
namespace {

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Secret new_master_key() {
  Secret key = Secret::of_size(kMasterKey);
  if (RAND_priv_bytes(reinterpret_cast<unsigned char*>(key.data()), static_cast<int>(key.size())) != 1)
    throw std::runtime_error("OpenSSL has no random octets");
  return key;
}

Secret key_text(const Secret& key) {
  static constexpr char kDigits[] = "0123456789abcdef";
  Secret text = Secret::of_size(key.size() * 2);
  for (std::size_t i = 0; i < key.size(); ++i) {
    const auto octet = static_cast<unsigned char>(key.reveal()[i]);
    text.data()[2 * i] = kDigits[octet >> 4U];
    text.data()[2 * i + 1] = kDigits[octet & 15U];
  }
  return text;
}

std::optional<Secret> parse_key_text(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.size() != kMasterKey * 2) return std::nullopt;
  Secret key = Secret::of_size(kMasterKey);
  for (std::size_t i = 0; i < kMasterKey; ++i) {
    const int high = digit_value(text[2 * i]);
    const int low = digit_value(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    key.data()[i] = static_cast<char>(high * 16 + low);
  }
  return key;
}

}  // namespace weir::vault::store
