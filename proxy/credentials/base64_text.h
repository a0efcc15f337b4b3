// Base64 (RFC 4648 §4) of text that holds a secret. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "proxy/credentials/wiped_text.h"

namespace weir::proxy {

void append_base64(std::string_view bytes, WipedText& out);
// Padding may be left out. nullopt: it is no base64.
std::optional<WipedText> base64_text(std::string_view text);

}  // namespace weir::proxy
