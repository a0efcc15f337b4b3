#include "vault/secret_text.h"

#include <openssl/evp.h>

#include <cstring>

namespace weir::vault {
namespace {

char* put_form_encoded(char* to, std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._*").find(c) != std::string_view::npos;
    if (plain) {
      *to++ = c;
    } else if (c == ' ') {
      *to++ = '+';
    } else {
      const auto octet = static_cast<unsigned char>(c);
      *to++ = '%';
      *to++ = kHex[octet >> 4];
      *to++ = kHex[octet & 15];
    }
  }
  return to;
}

}  // namespace

Secret joined(std::initializer_list<std::string_view> parts) {
  std::size_t size = 0;
  for (const auto part : parts) size += part.size();
  Secret all = Secret::of_size(size);
  char* to = all.data();
  for (const auto part : parts) {
    if (part.empty()) continue;
    std::memcpy(to, part.data(), part.size());
    to += part.size();
  }
  return all;
}

Secret form_body(const std::vector<std::pair<std::string_view, std::string_view>>& fields) {
  std::size_t most = 1;
  for (const auto& [name, value] : fields) most += 3 * (name.size() + value.size()) + 2;
  Secret out = Secret::of_size(most);
  char* to = out.data();
  for (const auto& [name, value] : fields) {
    if (to != out.data()) *to++ = '&';
    to = put_form_encoded(to, name);
    *to++ = '=';
    to = put_form_encoded(to, value);
  }
  out.shrink(static_cast<std::size_t>(to - out.data()));
  return out;
}

Secret form_encoded(std::string_view text) {
  Secret out = Secret::of_size(3 * text.size());
  if (text.empty()) return out;
  out.shrink(static_cast<std::size_t>(put_form_encoded(out.data(), text) - out.data()));
  return out;
}

Secret base64(std::string_view bytes) {
  Secret out = Secret::of_size((bytes.size() + 2) / 3 * 4 + 1);  // and a NUL
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.shrink(static_cast<std::size_t>(size));
  return out;
}

Secret base64url(std::string_view bytes) {
  Secret out = base64(bytes);
  std::size_t size = out.size();
  while (size > 0 && out.reveal()[size - 1] == '=') --size;
  out.shrink(size);
  for (char* c = out.data(); c != out.data() + size; ++c) *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
  return out;
}

}  // namespace weir::vault
