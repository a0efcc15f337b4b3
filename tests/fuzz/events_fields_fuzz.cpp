// Any bytes as encoded fields: refused, or one line of JSON that is safe to print.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "base/text.h"
#include "events/event.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string out = "kept";
  if (!weir::events::append_json({reinterpret_cast<const char*>(data), size}, out)) {
    if (out != "kept") std::abort();
    return 0;
  }
  const std::string json = out.substr(4);
  if (weir::printable(json, json.size() * 8 + 8) != json) std::abort();
  const auto parsed = nlohmann::json::parse(json, nullptr, false);
  if (!parsed.is_object()) std::abort();
  // And any bytes as one value.
  weir::events::Fields fields;
  fields.text("v", {reinterpret_cast<const char*>(data), size});
  std::string text;
  if (!weir::events::append_json(fields.bytes(), text) || !nlohmann::json::parse(text, nullptr, false).is_object())
    std::abort();
  if (weir::printable(text, text.size() * 8 + 8) != text) std::abort();
  return 0;
}
