// A master key as text: 64 hexadecimal digits. Read and written in place, so that no copy is left anywhere.
#pragma once

#include <optional>
#include <string_view>

#include "base/secret.h"

namespace weir::vault::store {

inline constexpr std::size_t kMasterKey = 32;  // octets

Secret new_master_key();                                      // from OpenSSL's generator
Secret key_text(const Secret& key);                           // lower case, without a line feed
std::optional<Secret> parse_key_text(std::string_view text);  // one line feed at its end is no part of it

}  // namespace weir::vault::store
