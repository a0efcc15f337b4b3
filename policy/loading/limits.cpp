#include "policy/loading/sections.h"
#include "policy/loading/values.h"

namespace weir::policy {

void read_limits(Diagnostics& diagnostics, const YamlNode& node, Limits& limits) {
  const auto take = [&](const YamlNode& value, std::string_view what, auto read, auto& out) {
    const auto word = read_text(diagnostics, value, what);
    if (!word) return;
    if (const auto number = read(word->text))
      out = static_cast<std::remove_reference_t<decltype(out)>>(*number);
    else
      diagnostics.error(word->place, number.error());
  };
  const auto connections = [](std::string_view text) { return read_count(text, 1, 1'000'000); };
  const auto requests = [](std::string_view text) { return read_count(text, 1, 1'000'000'000); };
  const SectionKey keys[] = {
      {"connections", [&](const auto&, const auto& value) { take(value, "connections", connections, limits.connections); }},
      {"request_body", [&](const auto&, const auto& value) { take(value, "request_body", read_size, limits.request_body); }},
      {"response_body",
       [&](const auto&, const auto& value) { take(value, "response_body", read_size, limits.response_body); }},
      {"requests_per_minute",
       [&](const auto&, const auto& value) { take(value, "requests_per_minute", requests, limits.requests_per_minute); }},
  };
  read_section(diagnostics, node, "`limits`", keys);
}

}  // namespace weir::policy
