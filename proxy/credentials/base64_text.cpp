#include "proxy/credentials/base64_text.h"

#include <openssl/evp.h>

#include <algorithm>

namespace weir::proxy {
namespace {

bool in_alphabet(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

}  // namespace

void append_base64(std::string_view bytes, WipedText& out) {
  const std::size_t before = out.size(), size = (bytes.size() + 2) / 3 * 4;
  char* const to = out.grow(size + 1);  // EVP_EncodeBlock writes a NUL behind it
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(to), reinterpret_cast<const unsigned char*>(bytes.data()),
                  static_cast<int>(bytes.size()));
  out.shrink(before + size);
}

std::optional<WipedText> base64_text(std::string_view text) {
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  if (text.size() % 4 == 1 || !std::all_of(text.begin(), text.end(), in_alphabet)) return std::nullopt;
  WipedText padded(text);
  const std::size_t missing = (4 - text.size() % 4) % 4;
  padded.append(std::string_view("==").substr(0, missing));
  WipedText out;
  char* const to = out.grow(padded.size() / 4 * 3 + 1);
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(to),
                                   reinterpret_cast<const unsigned char*>(padded.data()), static_cast<int>(padded.size()));
  if (size < 0) return std::nullopt;
  out.shrink(static_cast<std::size_t>(size) - missing);
  return out;
}

}  // namespace weir::proxy
