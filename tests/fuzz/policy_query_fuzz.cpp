// Query strings: what is sound must be read back from any other way of writing it.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/text.h"
#include "policy/body.h"

namespace {

std::string escaped(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    out += '%';
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto query = weir::policy::parse_query(text);
  if (!query.sound) return 0;
  if (text.find_first_of(";#\0 \n\r\t") != std::string_view::npos) std::abort();
  std::string again;
  for (const auto& [name, value] : query.parameters) {
    for (const auto& part : {name, value})
      if (weir::valid_utf8_prefix(part) != part.size() || part.find('\0') != std::string::npos) std::abort();
    if (!again.empty()) again += "&&";
    again += escaped(name) + '=' + escaped(value);
  }
  if (weir::policy::parse_query(again) != query) std::abort();
  return 0;
}
