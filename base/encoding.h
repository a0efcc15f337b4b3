// Bytes as text and back.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace weir {

std::string hex_encode(std::string_view bytes);                    // lower case
std::optional<std::string> hex_decode(std::string_view text);      // nullopt: odd length or a character that is not hex
std::string base64_encode(std::string_view bytes);                 // RFC 4648 §4, padded
std::string sha256_label(std::string_view bytes);                   // "sha256:" and 64 hex digits
std::string random_bytes(std::size_t count);                       // from the kernel's CSPRNG through OpenSSL; throws if it fails

}  // namespace weir
