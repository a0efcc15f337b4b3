#include "launch/logins/secret_text.h"

#include <openssl/evp.h>

#include "base/secret_json.h"

namespace weir::launch {
namespace {

int hex(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::optional<Secret> decoded_percent(std::string_view text) {
  Secret out = Secret::of_size(text.size());
  std::size_t size = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    char c = text[at];
    if (c == '%') {
      if (at + 2 >= text.size() || hex(text[at + 1]) < 0 || hex(text[at + 2]) < 0) return std::nullopt;
      c = static_cast<char>(hex(text[at + 1]) * 16 + hex(text[at + 2]));
      at += 2;
    }
    out.data()[size++] = c;
  }
  out.shrink(size);
  return out;
}

}  // namespace

std::optional<Secret> decoded(std::string_view text, const FoundValue& value) {
  switch (value.kind) {
    case FoundValue::Kind::text:
      return Secret(text.substr(value.from, value.size));
    case FoundValue::Kind::percent:
      return decoded_percent(text.substr(value.from, value.size));
    case FoundValue::Kind::json: {
      const auto json = SecretJson::parse(text.substr(value.from - 1, value.size + 2));
      return json ? std::optional(json->text()) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

std::optional<Secret> decoded_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0 || text.size() > (1U << 20)) return std::nullopt;
  Secret out = Secret::of_size(text.size() / 4 * 3);
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  // EVP_DecodeBlock takes blanks at both ends, and an '=' within for a zero.
  if (static_cast<std::size_t>(size) != out.size() || text.find('=') < text.size() - padding) return std::nullopt;
  out.shrink(out.size() - padding);
  return out;
}

}  // namespace weir::launch
